"""Holds a home with its servers until it is stopped: ``python -m tests.local.holder FOLDER``."""

import json
import signal
import sys
from pathlib import Path

from feedback_app.local import homes
from feedback_app.local.servers import environment, running_servers


def main() -> None:
    home = homes.claim(Path(sys.argv[1]))
    with running_servers(home, is_throw_away=True) as servers:
        env = environment(home, servers)
        pids = [server.process.pid for server in servers if server.process is not None]
        sys.stdout.write(
            json.dumps({"database": env["DATABASE_URL"], "redis": env["REDIS_URL"], "pids": pids})
        )
        sys.stdout.write("\n")
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    main()

"""A training child for tests: does in its run folder what ``spec.json`` says."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def write(path: Path, content: object) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(content))
    temporary.replace(path)


def train(folder: Path) -> None:
    """Three steps with a checkpoint after each; ``steps`` has all that were ever done."""
    state = folder / "checkpoint" / "state.pt"
    state.parent.mkdir(exist_ok=True)
    for step in range(int(state.read_text()) + 1 if state.exists() else 1, 4):
        with (folder / "steps").open("a") as steps:
            steps.write(f"{step}\n")
        state.with_suffix(".tmp").write_text(str(step))
        state.with_suffix(".tmp").replace(state)
        time.sleep(0.5)
    write(folder / "result.json", {"steps": 3})


def main(folder: Path) -> None:
    spec = json.loads((folder / "spec.json").read_text())
    (folder / "pid").write_text(str(os.getpid()))
    print("epoch 1 50 %\repoch 1 100 %")
    write(folder / "progress.json", {"done": 2, "total": 4, "note": "two", "figures": {"loss": 1}})
    match spec["do"]:
        case "finish":
            write(folder / "result.json", {"answer": 42})
        case "fail":
            write(folder / "error.json", {"error": "No such cohort.", "remedy": "Import it."})
            sys.exit(1)
        case "crash":
            print("Traceback: the last words")
            sys.exit(3)
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "die in a shell":
            sys.exit(128 + signal.SIGKILL)
        case "hang":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            (folder / "grandchild").write_text(str(child.pid))
            time.sleep(600)
        case "train":
            train(folder)
        case "find no room":
            print("OSError: [Errno 28] No space left on device")
            sys.exit(75)
        case "leave nothing":
            pass


if __name__ == "__main__":
    main(Path(sys.argv[1]))

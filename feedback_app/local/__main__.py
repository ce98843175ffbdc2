"""``python -m feedback_app.local``: ``demo``, ``exec``, ``beside`` and ``chromium``."""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from feedback_app.local import chromium, demo, homes
from feedback_app.local.processes import die_with_parent
from feedback_app.local.servers import (
    environment,
    local_servers,
    running_servers,
    throw_away_home,
)
from generation.errors import RemediableError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m feedback_app.local", description=__doc__)
    commands = parser.add_subparsers(dest="verb", required=True)
    commands.add_parser("demo", help="run the whole of Reading Room until Ctrl-C")
    run = commands.add_parser("exec", help="run a command with fresh servers, then remove them")
    run.add_argument("command", nargs=argparse.REMAINDER)
    beside = commands.add_parser("beside", help="run a command on the demo's servers and data")
    beside.add_argument("command", nargs=argparse.REMAINDER)
    commands.add_parser("chromium", help="find Chromium for the browser tests, or install it")
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt_once)
    try:
        return _run(arguments.verb, getattr(arguments, "command", []))
    except RemediableError as error:
        print(f"{error}\n{error.remedy}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _run(verb: str, words: list[str]) -> int:
    if verb == "demo":
        return demo.run_demo()
    if verb == "chromium":
        return chromium.provide()
    command = words[1:] if words[:1] == ["--"] else words
    if not command:
        raise RemediableError(
            f"{verb} needs a command.", remedy=f"Write: {verb} -- COMMAND ARGUMENTS"
        )
    return run_alone(command) if verb == "exec" else run_beside(command)


def run_alone(command: list[str]) -> int:
    """Run a command with servers and data of its own; return its exit status."""
    with throw_away_home() as home, running_servers(home, is_throw_away=True) as servers:
        return _call(command, env=environment(home, servers))


def run_beside(command: list[str]) -> int:
    """Run a command on the demo's data: beside the running demo, or with its servers alone."""
    if homes.is_running(homes.DEMO):
        home = homes.at(homes.DEMO)
        servers = local_servers(home, is_throw_away=False)
        return _call(command, env=environment(home, servers))
    home = homes.claim(homes.DEMO)
    with running_servers(home, is_throw_away=False) as servers:
        return _call(command, env=environment(home, servers))


def _call(command: list[str], *, env: Mapping[str, str]) -> int:
    """Run in the foreground with this environment's programs on the path; pass on signals."""
    programs = [str(Path(sys.executable).parent), str(homes.CHECKOUT), env.get("PATH", os.defpath)]
    try:
        child = subprocess.Popen(
            command,
            env={**env, "PATH": os.pathsep.join(programs)},
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
    except OSError as error:
        raise RemediableError(
            f"{command[0]!r} cannot be run: {error.strerror}.", remedy="Check the command's name."
        ) from error

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGTERM or not sys.stdin.isatty():
            child.send_signal(number)  # a terminal sends Ctrl-C to the child itself

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, pass_on)
    code = child.wait()
    return code if code >= 0 else 128 - code


def _interrupt_once(_number: int, _frame: FrameType | None) -> None:
    """Stop in order at the first signal; a second one must not interrupt the stopping."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

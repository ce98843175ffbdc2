"""``python leash.py PARENT COMMAND...``: become the command, and end when the parent ends.

``-`` as PARENT is whoever started this, as torchrun does.

A program of its own, because a worker with threads cannot safely run code between fork
and exec. The request to the kernel (Linux only) outlives exec.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if parent != "-" and os.getppid() != int(parent):  # it died before the kernel was asked
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()

"""Which process does a run, whether it lives still, and whether it was asked to stop."""

import os
import socket
import threading

import psutil

SAME_START_S = 2.0
"""Start times of one process that are read twice differ by less, even if the clock was set."""

stopping = threading.Event()
"""Set once this worker was asked to shut down: runs go back to the queue."""

spoiled = threading.Event()
"""Set once this process cannot use its GPU any more: it ends, and another takes its place."""


def this_worker() -> str:
    """``host:pid@start``; the start time tells a recycled process id from the first."""
    return f"{socket.gethostname()}:{os.getpid()}@{psutil.Process().create_time():.2f}"


def has_died(worker: str) -> bool:
    """Returns whether a worker of this host is gone; False for one of another host, which we
    cannot see.
    """
    host, _, process = worker.rpartition(":")
    pid, _, started = process.partition("@")
    if host != socket.gethostname() or not (pid.isdigit() and started):
        return False
    try:
        process_now = psutil.Process(int(pid))
        if process_now.status() == psutil.STATUS_ZOMBIE:
            return True
        return abs(process_now.create_time() - float(started)) > SAME_START_S
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False

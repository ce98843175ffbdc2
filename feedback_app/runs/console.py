"""Doing a run in the process of a management command, with its progress printed."""

import threading
from collections.abc import Callable

from django.core.management.base import CommandError
from django.db import connection

from feedback_app.runs import services
from feedback_app.runs.models import Run, State

PRINT_EVERY_S = 2.0


def execute_here(run: Run, *, write: Callable[[str], object]) -> Run:
    """Do the run in this process, and first what it comes after.

    Where a worker was quicker to claim it, it is followed.
    """
    for before in run.after.unfinished().order_by("created_at"):
        execute_here(before, write=write)
    stopped = threading.Event()
    printer = threading.Thread(target=_follow, args=(run, write, stopped), daemon=True)
    printer.start()
    try:
        while not (done := services.execute(run.pk) or run).is_finished:
            if done.is_pausing and done is not run:
                write(f"  {done.waits_for}: {done.error}")
            stopped.wait(PRINT_EVERY_S)
            run.refresh_from_db()
    finally:
        stopped.set()
        printer.join()
    run.refresh_from_db()
    return run


def finish_here(run: Run, *, write: Callable[[str], object]) -> Run:
    """Do the run in this process; a CommandError where it does not succeed."""
    finished = execute_here(run, write=write)
    if finished.state != State.SUCCEEDED:
        said = finished.error or finished.get_state_display()
        raise CommandError(f"{said}\n{finished.remedy}".strip())
    return finished


def _follow(run: Run, write: Callable[[str], object], stopped: threading.Event) -> None:
    """Print the run's progress whenever it has changed, until it is finished."""
    printed = ""
    try:
        while not stopped.wait(PRINT_EVERY_S):
            now = Run.objects.filter(pk=run.pk).first()
            line = f"  {now.done} of {now.total or '?'}  {now.note}" if now else printed
            if line != printed and now and now.done:
                write(line)
                printed = line
            if now and now.is_finished:
                return
    finally:
        connection.close()

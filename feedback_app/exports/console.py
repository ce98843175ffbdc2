"""What the commands that make exports have in common."""

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

from django.core.management.base import CommandError

from feedback_app.exports.models import Export
from feedback_app.exports.services import copy_out
from feedback_app.remedies import as_command_error
from feedback_app.runs.console import finish_here


def add_out(parser: ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, help="a file or folder to copy the archive to")


def make_here(
    ask: Callable[[], Export], *, out: Path | None, write: Callable[[str], object]
) -> None:
    """Do an export's run in this process, and copy its archive out."""
    if out is not None and not out.parent.is_dir():
        raise CommandError(f"There is no folder {out.parent}; make it first.")
    with as_command_error():
        export = ask()
    run = finish_here(export.run, write=write)
    export.refresh_from_db()
    write(f"export {export.pk} sha256 {run.result['sha256']}")
    if out is not None:
        with as_command_error():
            write(str(copy_out(export, path=out)))

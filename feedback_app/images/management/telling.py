"""What commands say of a run whose result is a model version."""

from collections.abc import Callable

from feedback_app.runs.console import finish_here
from feedback_app.runs.models import Run


def tell_version(run: Run, *, is_now: bool, write: Callable[[str], object]) -> None:
    """Do the run here and name the version that came of it, or say that it is queued."""
    if not is_now:
        write(f"Queued as run {run.pk}.")
        return
    result = finish_here(run, write=write).result
    write(f"Registered as model version {result['model_version']}.")

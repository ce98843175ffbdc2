"""Going on with a rebuild once the runs that it waits for have succeeded."""

from feedback_app.provenance.rebuilding import advance
from feedback_app.readings.retraction_models import Retraction
from feedback_app.runs.kinds import handles
from feedback_app.runs.progress import Progress


@handles("continue_rebuild")
def continue_rebuild(progress: Progress) -> dict[str, object]:
    """Take the chain as far as it goes now; what it waits for next has a run of its own."""
    outcome = advance(Retraction.objects.get(pk=progress.run.spec["retraction"]))
    for line in (*outcome.waiting, *outcome.refused):
        progress.log(line)
    return {
        "made": len(outcome.made),
        "waiting": len(outcome.waiting),
        "refused": len(outcome.refused),
    }

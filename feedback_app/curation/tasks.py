"""Applying policies to many candidates, and counting; the handlers are free of torch."""

from django.db import transaction

from feedback_app.curation.kinds import APPLY, TALLY
from feedback_app.curation.models import Policy
from feedback_app.curation.rules import Rules
from feedback_app.curation.services import apply_policy
from feedback_app.curation.tallies import tally
from feedback_app.runs.kinds import handles
from feedback_app.runs.progress import Progress


@handles(APPLY)
def apply_by_run(progress: Progress) -> dict[str, object]:
    """Make the curated set, once: what was kept of it is there to a second attempt."""
    if progress.run.result:
        return dict(progress.run.result)
    with transaction.atomic():
        policy = Policy.objects.get(pk=progress.run.spec["policy"])
        made = apply_policy(policy, progress.run.created_by)
        result: dict[str, object] = {
            "curated_set": str(made.pk),
            "admitted": made.items.count(),
            "considered": made.considered,
        }
        progress.keep(result)
    return result


@handles(TALLY)
def count_by_run(progress: Progress) -> dict[str, object]:
    """Put what rules let in now where pages find it."""
    found = tally(Rules.from_json(progress.run.spec["rules"]))
    return {"admitted": found.admitted, "considered": found.considered}

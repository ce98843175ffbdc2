"""Telling whoever asked for a run that it is done, or has failed."""

from uuid import UUID

from django.db.models import Max, Sum
from django.urls import reverse

from feedback_app.notices.models import NoticeKind
from feedback_app.notices.services import tell
from feedback_app.runs.kinds import Kind, kind_of
from feedback_app.runs.models import Run, RunQuerySet, State

SAID_OF_ERROR = 150


def tell_of(run_id: UUID) -> None:
    """Tells it once all that was asked for together is over; a cancelled run tells nothing."""
    run = Run.objects.select_related("created_by").get(pk=run_id)
    kind = kind_of(run.kind)
    is_over = run.state in {State.SUCCEEDED, State.FAILED}
    if not kind.is_told or not is_over or run.created_by is None:
        return
    together = _asked_together(run, kind)
    if together.unfinished().exists():
        return
    failed = together.filter(state=State.FAILED).order_by("finished_at").first()
    title = run.title
    if kind.is_one_of_many:
        title = run.title.rpartition(": ")[0] or run.title
    text = f"{title} is done."
    if failed:
        text = f"{title} has failed: {failed.error[:SAID_OF_ERROR]}"
    tried = together.aggregate(newest=Max("created_at"), attempts=Sum("attempt"))
    tell(
        [run.created_by],
        NoticeKind.RUN_FAILED if failed else NoticeKind.RUN_DONE,
        text,
        address=_address(run, kind),
        key=f"run:{title[:100]}:{tried['newest'].isoformat()}:{tried['attempts']}",
    )


def _asked_together(run: Run, kind: Kind) -> RunQuerySet:
    """Returns the runs of one request; earlier ones that failed were done anew by these."""
    if not (kind.is_one_of_many and kind.page):
        return Run.objects.filter(pk=run.pk)
    same = {f"spec__{kind.page[1]}": run.spec[kind.page[1]], "kind": run.kind}
    return Run.objects.filter(**same).exclude(finished_at__lt=run.created_at)


def _address(run: Run, kind: Kind) -> str:
    if kind.page is None:
        return reverse("runs:run", args=[run.pk])
    name, field = kind.page
    return reverse(name, args=[run.spec[field]])

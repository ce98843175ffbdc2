"""What happened that webhooks are told of, found in the rows themselves."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef

from feedback_app.exports.models import Export
from feedback_app.finetuning.models import FineTune, GateVerdict
from feedback_app.images.models import Batch, BatchRecipe, Try
from feedback_app.runs.models import Run, State
from feedback_app.studies.models import Slot, Study, StudyState
from feedback_app.webhooks.kinds import DELIVERY
from feedback_app.webhooks.models import Event


@dataclass(frozen=True)
class Happening:
    """``key`` is what tells it from others of its kind; ``data`` holds names and ids alone."""

    event: Event
    key: str
    at: datetime
    data: dict[str, Any]


def happenings(since: datetime) -> Iterator[Happening]:
    """Yields all that happened after a moment; who is told of it knows what they were told
    before.
    """
    yield from _batches(since)
    yield from _studies()
    yield from _learning(since)
    for export in Export.objects.filter(
        run__state=State.SUCCEEDED, run__finished_at__gte=since
    ).select_related("run"):
        assert export.run.finished_at is not None
        of = "snapshot" if export.snapshot_id else "curated_set"
        data = {"export": str(export.pk), of: str(export.snapshot_id or export.curated_set_id)}
        yield Happening(Event.EXPORT_READY, str(export.pk), export.run.finished_at, data)
    failed = Run.objects.filter(state=State.FAILED, finished_at__gte=since)
    for run in failed.exclude(kind=DELIVERY):
        assert run.finished_at is not None
        data = {"run": str(run.pk), "kind": run.kind, "title": run.title}
        # A run that is retried and fails again has failed twice.
        yield Happening(Event.RUN_FAILED, f"{run.pk}:{run.attempt}", run.finished_at, data)


def _batches(since: datetime) -> Iterator[Happening]:
    unmade = BatchRecipe.objects.filter(batch=OuterRef("pk"), recipe__candidate=None)
    live = Batch.runs.through.objects.filter(
        batch=OuterRef("pk"), run__state__in=[State.QUEUED, State.RUNNING]
    )
    ended = Batch.runs.through.objects.filter(batch=OuterRef("pk"), run__finished_at__gte=since)
    undecided = Try.objects.undecided().filter(batch=OuterRef("pk"))
    whole = (~Exists(unmade), ~Exists(undecided))
    for batch in Batch.objects.filter(Exists(ended), ~Exists(live), *whole):
        last = batch.runs.order_by("-finished_at").values_list("finished_at", flat=True)[0]
        assert last is not None
        data = {"batch": str(batch.pk), "name": batch.name}
        yield Happening(Event.BATCH_DONE, str(batch.pk), last, data)


def _studies() -> Iterator[Happening]:
    """Studies of which every planned case has a reading; more cases make it happen anew."""
    slots = Slot.objects.wanted().filter(study=OuterRef("pk"))
    read = Study.objects.filter(state__in=[StudyState.OPEN, StudyState.PAUSED])
    for study in read.filter(Exists(slots), ~Exists(slots.unread())):
        count = Slot.objects.wanted().filter(study=study).count()
        last = study.slots.order_by("-readings__created_at").filter(readings__isnull=False)
        at = last.values_list("readings__created_at", flat=True)[0]
        data = {"study": str(study.pk), "name": study.name, "slots": count}
        yield Happening(Event.STUDY_READ, f"{study.pk}:{count}", at, data)


def _learning(since: datetime) -> Iterator[Happening]:
    done = FineTune.objects.filter(run__state=State.SUCCEEDED, run__finished_at__gte=since)
    for tune in done.select_related("run", "model_version"):
        assert tune.run.finished_at is not None
        version = tune.model_version.name if tune.model_version else None
        data = {"fine_tune": str(tune.pk), "model_version": version}
        yield Happening(Event.FINE_TUNE_DONE, str(tune.pk), tune.run.finished_at, data)
    for verdict in GateVerdict.objects.filter(created_at__gte=since).select_related("gate__child"):
        data = {
            "gate": str(verdict.gate_id),
            "child": verdict.gate.child.name,
            "decision": verdict.decision,
        }
        yield Happening(Event.GATE_VERDICT, str(verdict.gate_id), verdict.created_at, data)

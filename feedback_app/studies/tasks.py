"""Writing and valuing the slots of studies; the handlers are free of torch."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from feedback_app.images.models import Batch, Scorer
from feedback_app.runs.kinds import handles
from feedback_app.runs.models import Run
from feedback_app.runs.progress import Progress
from feedback_app.studies.models import Study
from feedback_app.studies.planning import CasesAdded
from feedback_app.studies.services import active, telling
from feedback_app.studies.services.cases import fill_locked
from feedback_app.studies.services.design import lock_for_run
from feedback_app.studies.services.growing import add_locked
from feedback_app.studies.services.opening import open_locked
from generation.errors import RemediableError


@handles("fill_study")
def fill_by_run(progress: Progress) -> dict[str, object]:
    return _by_run(progress, fill_locked)


@handles("open_study")
def open_by_run(progress: Progress) -> dict[str, object]:
    if done := _done_before(progress.run):
        return done
    with progress.reported_apart() as report, transaction.atomic():
        study = _study_of(progress.run)
        slots = open_locked(study, actor=progress.run.created_by, report=report)
        report(slots, "Checking and storing them")
        result: dict[str, object] = {"study": study.name, "slots": slots}
        progress.keep(result)
    return result


@handles("add_candidates")
def add_by_run(progress: Progress) -> dict[str, object]:
    return _by_run(progress, partial(add_locked, actor=progress.run.created_by))


def _by_run(progress: Progress, add: Callable[..., CasesAdded]) -> dict[str, object]:
    """Give the run's study the cases of the run's batches."""
    if done := _done_before(progress.run):
        return done
    spec = progress.run.spec
    with progress.reported_apart() as report, transaction.atomic():
        added = add(
            _study_of(progress.run),
            [_batch_of(pk) for pk in spec["batches"]],
            against=_batch_of(spec["against"]) if spec["against"] else None,
            report=report,
        )
        result: dict[str, object] = {
            "cases": added.cases,
            "images": added.images,
            "warnings": added.warnings,
        }
        progress.keep(result)
    return result


def _done_before(run: Run) -> dict[str, object]:
    """Returns what an attempt kept whose worker died between its commit and the end of the run."""
    return dict(run.result)


def _study_of(run: Run) -> Study:
    """Locked; another run may have been started for it since this one failed."""
    study_id = UUID(run.spec["study"])
    if not Study.objects.filter(pk=study_id).exists():
        raise RemediableError("The study has been deleted.", remedy="Nothing is left to do.")
    study = lock_for_run(study_id)
    if study.slots_run_id != run.pk:
        raise RemediableError(
            f"The study “{study.name}” has gone on without this run.",
            remedy="Start again from the study's page where something is left to do.",
        )
    return study


def _batch_of(pk: str) -> Batch:
    batch = Batch.objects.filter(pk=pk).first()
    if batch is None:
        raise RemediableError("A batch has been deleted.", remedy="Choose the batches again.")
    return batch


@shared_task(name="studies.remind")
def remind() -> None:
    """Reminds readers of studies that are nearly due; each is told once of each day."""
    telling.remind(today=timezone.localdate())


@handles("value_cases")
def value_by_run(progress: Progress) -> dict[str, object]:
    spec = progress.run.spec
    reward_model = Scorer.objects.get(pk=spec["reward_model"])
    cases, unmeasured = active.value_anew(
        UUID(spec["study"]),
        reward_model,
        report=lambda done: progress.update(done, note="Valuing cases"),
    )
    return {"reward_model": reward_model.name, "cases": cases, "unmeasured": unmeasured}

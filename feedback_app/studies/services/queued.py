"""Filling, opening and adding to a study: at once, or by a run where there is much to write.

Until such a run is done the study is what it was before: everything happens in one
transaction, so that a run that fails, is cancelled or loses its worker leaves nothing behind.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from feedback_app.accounts.models import User
from feedback_app.images.models import Batch, BatchRecipe
from feedback_app.runs import services as runs
from feedback_app.runs.kinds import handles
from feedback_app.runs.models import Run
from feedback_app.runs.progress import Progress
from feedback_app.studies.models import CaseRole, Study, StudyMode
from feedback_app.studies.services.cases import fill_locked
from feedback_app.studies.services.design import lock, lock_for_run, require_draft
from feedback_app.studies.services.growing import add_batches, add_locked, require_growable
from feedback_app.studies.services.opening import open_locked, open_study, require_openable
from feedback_app.studies.services.planning import CasesAdded
from generation.errors import RemediableError

SLOTS_AT_ONCE = 10_000
"""More would keep a request waiting for over two seconds."""
IMAGES_AT_ONCE = 10_000
"""Of a draft's cases, which take about a second to write; a hundred thousand take ten."""


@transaction.atomic
def begin_filling(
    study: Study,
    batches: Sequence[Batch],
    *,
    against: Batch | None = None,
    actor: User | None = None,
) -> CasesAdded | Run:
    """Fill a draft with the cases that batches give, or start the run that does."""
    study = lock(study)
    require_draft(study)
    images = BatchRecipe.objects.filter(batch__in=batches).count()
    if images <= IMAGES_AT_ONCE:
        return fill_locked(study, batches, against=against)
    title = f"Fill {study.name}"
    ids = _ids(batches, against)
    return _start(study, "fill_study", title, total=images, actor=actor, **ids)


@transaction.atomic
def begin_opening(study: Study, *, actor: User | None = None) -> Study:
    """Open a draft, or start the run that does; ``is_being_written`` then."""
    study = lock(study)
    readers = require_openable(study)
    slots = slots_of_opening(study, reader_count=len(readers))
    if slots <= SLOTS_AT_ONCE:
        return open_study(study, actor=actor)
    _start(study, "open_study", f"Open {study.name}", total=slots, actor=actor)
    return study


@transaction.atomic
def begin_adding(
    study: Study,
    batches: Sequence[Batch],
    *,
    against: Batch | None = None,
    actor: User | None = None,
) -> CasesAdded | Run:
    """Add the cases of further candidates, or start the run that does."""
    study = lock(study)
    require_growable(study)
    slots = slots_of_batches(study, batches)
    if slots <= SLOTS_AT_ONCE:
        return add_batches(study, batches, against=against, actor=actor)
    title = f"Add candidates to {study.name}"
    ids = _ids(batches, against)
    return _start(study, "add_candidates", title, total=slots, actor=actor, **ids)


def slots_of_opening(study: Study, *, reader_count: int) -> int:
    """How many slots there will be; where cases are assigned, to a rounding of the repeats."""
    cases = study.cases.count()
    anchors = study.cases.filter(role=CaseRole.ANCHOR).count()
    gold = study.cases.filter(role=CaseRole.GOLD).count()
    shared = max(study.anchor_count, anchors) + gold
    once = (cases - shared) * study.readers_per_case
    once += shared * max(reader_count, study.readers_per_case)
    phases = 2 if study.has_phases else 1
    return round(once * (1 + study.repeat_percent / 100)) * phases


def slots_of_batches(study: Study, batches: Sequence[Batch]) -> int:
    """At most so many slots, but for repeats."""
    recipes = BatchRecipe.objects.filter(batch__in=batches).count()
    is_pair = study.mode == StudyMode.COMPARE
    together = {StudyMode.RATE_K: study.images_per_case}.get(StudyMode(study.mode), 1)
    return recipes * study.readers_per_case // (1 if is_pair else together)


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


def _start(
    study: Study, kind: str, title: str, *, total: int, actor: User | None, **spec: object
) -> Run:
    whole = {"study": str(study.pk)} | spec
    run = runs.start(kind, title=title, spec=whole, total=total, created_by=actor)
    study.slots_run = run
    study.save(update_fields=["slots_run"])
    return run


def _ids(batches: Sequence[Batch], against: Batch | None) -> dict[str, Any]:
    return {
        "batches": [str(batch.pk) for batch in batches],
        "against": str(against.pk) if against else None,
    }


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
    """What an attempt kept whose worker died between its commit and the end of the run."""
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

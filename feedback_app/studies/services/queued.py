"""Filling, opening and adding to a study: at once, or by a run where there is much to write.

Until such a run is done the study is what it was before: everything happens in one
transaction, so that a run that fails, is cancelled or loses its worker leaves nothing behind.
"""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from feedback_app.accounts.models import User
from feedback_app.images.models import Batch, BatchRecipe
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from feedback_app.studies.models import CaseRole, Study
from feedback_app.studies.modes import mode_of
from feedback_app.studies.planning import CasesAdded
from feedback_app.studies.services.cases import fill_locked
from feedback_app.studies.services.design import lock, require_draft
from feedback_app.studies.services.drafts import waited_for
from feedback_app.studies.services.growing import add_batches, require_growable
from feedback_app.studies.services.opening import open_study
from feedback_app.studies.services.preparing import takes_long
from feedback_app.studies.services.requirements import require_openable

SLOTS_AT_ONCE = 10_000
"""More would keep a request waiting for over two seconds."""
IMAGES_AT_ONCE = 10_000
"""A draft's cases with as many take about a second to write; with ten times as many, ten."""


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
    images = BatchRecipe.objects.filter(batch__in=batches).count() + len(study.picked)
    if images <= IMAGES_AT_ONCE:
        return fill_locked(study, batches, against=against)
    title = f"Fill {study.name}"
    ids = _ids(batches, against)
    return _start(study, "fill_study", title, total=images, actor=actor, **ids)


@transaction.atomic
def begin_opening(study: Study, *, actor: User | None = None) -> Study:
    """Open a draft, or start the run that does; ``is_being_written`` then.

    Where a VLM is still writing drafts of its cases, that run comes after the VLM's.
    """
    study = lock(study)
    readers = require_openable(study)
    slots = slots_of_opening(study, reader_count=len(readers))
    writing = [drafts.run for drafts in waited_for(study) if drafts.run and not drafts.is_written]
    if slots <= SLOTS_AT_ONCE and not writing and not takes_long(study):
        return open_study(study, actor=actor)
    title = f"Open {study.name}"
    _start(study, "open_study", title, total=slots, actor=actor, after=writing)
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
    images = BatchRecipe.objects.filter(batch__in=batches).count()
    if slots <= SLOTS_AT_ONCE and not takes_long(study, further_images=images):
        return add_batches(study, batches, against=against, actor=actor)
    title = f"Add candidates to {study.name}"
    ids = _ids(batches, against)
    return _start(study, "add_candidates", title, total=slots, actor=actor, **ids)


def slots_of_opening(study: Study, *, reader_count: int) -> int:
    """Returns how many slots there will be; where cases are assigned, to a rounding of the
    repeats.
    """
    cases = study.cases.count()
    anchors = study.cases.filter(role=CaseRole.ANCHOR).count()
    gold = study.cases.filter(role=CaseRole.GOLD).count()
    shared = max(study.anchor_count, anchors) + gold
    once = (cases - shared) * study.readers_per_case
    once += shared * max(reader_count, study.readers_per_case)
    phases = len(mode_of(study.mode).phases(study))
    return round(once * (1 + study.repeat_percent / 100)) * phases


def slots_of_batches(study: Study, batches: Sequence[Batch]) -> int:
    """At most so many slots, but for repeats."""
    recipes = BatchRecipe.objects.filter(batch__in=batches).count()
    together = mode_of(study.mode).candidates_a_case(study.images_per_case)
    return recipes * study.readers_per_case // together


def _start(
    study: Study,
    kind: str,
    title: str,
    *,
    total: int,
    actor: User | None,
    after: Sequence[Run] = (),
    **spec: object,
) -> Run:
    whole = {"study": str(study.pk)} | spec
    run = runs.start(kind, title=title, spec=whole, total=total, after=after, created_by=actor)
    study.slots_run = run
    study.save(update_fields=["slots_run"])
    return run


def _ids(batches: Sequence[Batch], against: Batch | None) -> dict[str, Any]:
    return {
        "batches": [str(batch.pk) for batch in batches],
        "against": str(against.pk) if against else None,
    }

"""Candidates that are picked by hand, put into a draft."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from feedback_app.accounts import audit
from feedback_app.accounts.models import User
from feedback_app.studies.models import Study
from feedback_app.studies.planning import CasesAdded
from feedback_app.studies.requests import PICKED_MAX
from feedback_app.studies.services.asking import find_candidates
from feedback_app.studies.services.cases import fill_locked
from feedback_app.studies.services.design import lock, require_draft
from generation.errors import RemediableError


@transaction.atomic
def add_picked(study: Study, images: Sequence[UUID], *, actor: User | None = None) -> CasesAdded:
    """Gives a draft the cases of further candidates; those that it has already are left out."""
    study = lock(study)
    require_draft(study)
    picked = list(dict.fromkeys([*study.picked, *find_candidates(images)]))
    if len(picked) > PICKED_MAX:
        raise RemediableError(
            f"{len(picked):,} candidates would be picked by hand.",
            remedy=f"{PICKED_MAX:,} are the most; of a whole batch, choose the batch itself.",
        )
    study.picked = picked
    study.save(update_fields=["picked"])
    added = fill_locked(study, [], against=None)
    audit.record(
        "study.changed",
        actor=actor,
        target=study.name,
        target_id=study.pk,
        details={"picked": added.images},
    )
    return added

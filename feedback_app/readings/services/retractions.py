"""Retracting the readings of a reader, a study, or a reader in it, and taking that back."""

from django.db import transaction
from django.utils import timezone

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.readings.retraction_models import Retraction
from feedback_app.studies.models import Study
from generation.errors import RemediableError

REASON_MAX = 2_000


@transaction.atomic
def retract(
    *,
    reader: User | None = None,
    study: Study | None = None,
    reason: str,
    made_by: User | None = None,
    address: str | None = None,
) -> Retraction:
    """Draws nothing new from their readings from now on, and deletes nothing."""
    reason = _given(reason)
    if reader is None and study is None:
        raise RemediableError(
            "It is not said whose readings are retracted.",
            remedy="Name a reader, a study, or a reader and one study.",
        )
    if reader is not None:
        User.objects.select_for_update().get(pk=reader.pk)
    if study is not None:
        Study.objects.select_for_update().get(pk=study.pk)
    if Retraction.objects.active().filter(reader=reader, study=study).exists():
        raise RemediableError(
            f"{Retraction(reader=reader, study=study).target_name} is retracted already.",
            remedy="Undo that first to do it anew.",
        )
    retraction = Retraction.objects.create(
        reader=reader, study=study, reason=reason, made_by=made_by
    )
    record(
        f"{retraction.kind}.retracted",
        actor=made_by,
        target=retraction.target_name,
        target_id=retraction.reader_id or retraction.study_id,
        details={"reason": reason, "retraction": str(retraction.pk)},
        address=address,
    )
    return retraction


@transaction.atomic
def undo_retraction(
    retraction: Retraction,
    *,
    reason: str,
    undone_by: User | None = None,
    address: str | None = None,
) -> Retraction:
    """The readings count again; what was rebuilt without them stays too."""
    reason = _given(reason)
    locked = Retraction.objects.select_for_update(of=("self",)).get(pk=retraction.pk)
    if not locked.is_active:
        raise RemediableError("This retraction is undone already.", remedy="Nothing is to be done.")
    locked.undone_reason, locked.undone_by, locked.undone_at = reason, undone_by, timezone.now()
    locked.rebuild_asked_at = None
    locked.save()
    record(
        f"{locked.kind}.retraction_undone",
        actor=undone_by,
        target=locked.target_name,
        target_id=locked.reader_id or locked.study_id,
        details={"reason": reason, "retraction": str(locked.pk)},
        address=address,
    )
    return locked


def _given(reason: str) -> str:
    if not reason.strip():
        raise RemediableError("A reason is missing.", remedy="Say why, in a sentence.")
    if len(reason) > REASON_MAX:
        raise RemediableError(
            f"The reason has {len(reason):,} characters.", remedy=f"{REASON_MAX:,} are the most."
        )
    return reason.strip()

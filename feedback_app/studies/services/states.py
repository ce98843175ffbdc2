"""A study's course: paused and resumed, closed and reopened, unblinded, or thrown away."""

from collections.abc import Collection
from datetime import date

from django.db import transaction
from django.utils import timezone

from feedback_app.accounts import audit
from feedback_app.accounts.models import User
from feedback_app.studies.models import Study, StudyState
from feedback_app.studies.services.design import lock, require_draft
from feedback_app.studies.services.telling import tell_paused, tell_waiting
from generation.errors import RemediableError


@transaction.atomic
def pause_study(study: Study, *, actor: User | None = None) -> Study:
    """No reading is taken for the time being; its readers are told."""
    moved = _move(
        study,
        whence={StudyState.OPEN},
        to=StudyState.PAUSED,
        action="study.paused",
        remedy="Only an open study is paused.",
        actor=actor,
    )
    tell_paused(moved)
    return moved


@transaction.atomic
def resume_study(study: Study, *, actor: User | None = None) -> Study:
    """Go on after a pause."""
    moved = _move(
        study,
        whence={StudyState.PAUSED},
        to=StudyState.OPEN,
        action="study.reopened",
        remedy="Only a paused study is resumed.",
        actor=actor,
    )
    tell_waiting(moved, moved.readers.all())
    return moved


def close_study(study: Study, *, actor: User | None = None) -> Study:
    """No reading is taken any more; what was read stays."""
    return _move(
        study,
        whence={StudyState.OPEN, StudyState.PAUSED},
        to=StudyState.CLOSED,
        action="study.closed",
        remedy="Only an open study is closed.",
        actor=actor,
    )


def reopen_study(study: Study, *, actor: User | None = None) -> Study:
    """Take readings again, for what was read offline when the study closed, say."""
    return _move(
        study,
        whence={StudyState.CLOSED},
        to=StudyState.OPEN,
        action="study.reopened",
        remedy="Only a closed study is reopened.",
        actor=actor,
    )


@transaction.atomic
def _move(
    study: Study,
    *,
    whence: Collection[StudyState],
    to: StudyState,
    action: str,
    remedy: str,
    actor: User | None,
) -> Study:
    study = lock(study)
    if study.state not in whence:
        raise RemediableError(f"The study “{study.name}” is {study.state}.", remedy=remedy)
    details = {"from": study.state}
    study.state = to
    study.save(update_fields=["state"])
    audit.record(action, actor=actor, target=study.name, target_id=study.pk, details=details)
    return study


@transaction.atomic
def set_due_date(study: Study, due_on: date | None, *, actor: User | None = None) -> Study:
    """Gives an open study another day by which it is to be read, or none."""
    study = lock(study)
    if study.state == StudyState.CLOSED:
        raise RemediableError(f"The study “{study.name}” is closed.", remedy="Reopen it first.")
    details = {"from": str(study.due_on or ""), "to": str(due_on or "")}
    study.due_on = due_on
    study.save(update_fields=["due_on"])
    audit.record("study.due", actor=actor, target=study.name, target_id=study.pk, details=details)
    return study


@transaction.atomic
def unblind_study(study: Study, *, actor: User | None, is_confirmed: bool = False) -> Study:
    """Say where images are from, for good: after closing, or where it is meant all the same."""
    study = lock(study)
    if study.is_draft:
        raise RemediableError(
            f"The study “{study.name}” is a draft: there is nothing to unblind.",
            remedy="Open it first.",
        )
    if study.is_unblinded:
        raise RemediableError(
            f"The study “{study.name}” is unblinded already.", remedy="Nothing is left to do."
        )
    if study.state != StudyState.CLOSED and not is_confirmed:
        raise RemediableError(
            f"The study “{study.name}” is still {study.state}.",
            remedy="Close it first, or confirm that it shall be unblinded while it is read.",
        )
    study.unblinded_at = timezone.now()
    study.unblinded_by = actor
    study.save(update_fields=["unblinded_at", "unblinded_by"])
    audit.record(
        "study.unblinded",
        actor=actor,
        target=study.name,
        target_id=study.pk,
        details={"state": study.state},
    )
    return study


@transaction.atomic
def delete_draft(study: Study, *, actor: User | None = None) -> None:
    study = lock(study)
    require_draft(study)
    audit.record("study.deleted", actor=actor, target=study.name, target_id=study.pk)
    study.delete()

"""A study's course: paused and resumed, closed and reopened, unblinded, or thrown away."""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from feedback_app.accounts import audit
from feedback_app.accounts.models import User
from feedback_app.studies.models import Study, StudyState
from feedback_app.studies.services.design import lock, require_draft
from generation.errors import RemediableError


def pause_study(study: Study, *, actor: User | None = None) -> Study:
    """No reading is taken for the time being."""
    return _move(
        study,
        whence={StudyState.OPEN},
        to=StudyState.PAUSED,
        action="study.paused",
        remedy="Only an open study is paused.",
        actor=actor,
    )


def resume_study(study: Study, *, actor: User | None = None) -> Study:
    """Go on after a pause."""
    return _move(
        study,
        whence={StudyState.PAUSED},
        to=StudyState.OPEN,
        action="study.reopened",
        remedy="Only a paused study is resumed.",
        actor=actor,
    )


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

"""What a study needs so that its readers can read it."""

from collections.abc import Sequence

from feedback_app.accounts.models import User
from feedback_app.studies.models import CaseRole, Study
from feedback_app.studies.modes import mode_of
from feedback_app.studies.services.design import contradictions, require_draft
from generation.errors import RemediableError


def require_openable(study: Study) -> list[User]:
    """Returns the readers of a draft that nothing in sight keeps from being opened."""
    require_draft(study)
    readers = list(study.readers.order_by("pk"))
    require_readable(study, readers=readers)
    _require_anchors(study)
    return readers


def require_readable(study: Study, *, readers: Sequence[User]) -> None:
    if not study.cases.exists():
        remedy = mode_of(study.mode).remedy_without_cases
        raise RemediableError("The study has no cases.", remedy=remedy)
    if not study.criteria.exists():
        raise RemediableError("The study asks nothing.", remedy="Add a criterion.")
    for _, sentence in contradictions(study):
        raise RemediableError(sentence, remedy="Edit the design.")
    require_enough(study, readers=readers)
    require_alike(readers)
    mode_of(study.mode).require_whole(study.cases.all())


def require_enough(study: Study, *, readers: Sequence[User]) -> None:
    if not readers:
        raise RemediableError("The study has no readers.", remedy="Choose who shall read.")
    if len(readers) < study.readers_per_case:
        raise RemediableError(
            f"{study.readers_per_case} readers a case are wanted, {len(readers)} are chosen.",
            remedy="Choose more readers, or fewer readers a case.",
        )


def require_alike(readers: Sequence[User]) -> None:
    """Only who can log in, and either people or simulated readers."""
    if gone := [reader.display_name for reader in readers if not reader.is_active]:
        raise RemediableError(
            f"{', '.join(gone)} cannot log in any more.",
            remedy="Edit the study and save it: it keeps only readers who can.",
        )
    if len({reader.is_simulated for reader in readers}) > 1:
        raise RemediableError(
            "People and simulated readers are in one study.",
            remedy="Make one study for people and one for simulated readers.",
        )


def _require_anchors(study: Study) -> None:
    if study.anchor_count > study.cases.exclude(role=CaseRole.GOLD).count():
        raise RemediableError(
            f"{study.anchor_count} anchors are wanted, and there are too few cases for them.",
            remedy="Ask for fewer anchors, or add cases.",
        )

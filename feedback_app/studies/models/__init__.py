"""Reader studies: what is asked, of whom, about which images, in which order."""

from feedback_app.studies.models.cases import Case, CaseImage, CaseMask, CaseRole, GoldAnswer
from feedback_app.studies.models.questions import SCORE_MAX, Criterion, CriterionKind, FlagKind
from feedback_app.studies.models.slots import Phase, Slot, SlotQuerySet
from feedback_app.studies.models.studies import (
    IMAGES_PER_CASE,
    Allocation,
    Study,
    StudyMode,
    StudyQuerySet,
    StudyReader,
    StudyState,
)

__all__ = [
    "IMAGES_PER_CASE",
    "SCORE_MAX",
    "Allocation",
    "Case",
    "CaseImage",
    "CaseMask",
    "CaseRole",
    "Criterion",
    "CriterionKind",
    "FlagKind",
    "GoldAnswer",
    "Phase",
    "Slot",
    "SlotQuerySet",
    "Study",
    "StudyMode",
    "StudyQuerySet",
    "StudyReader",
    "StudyState",
]

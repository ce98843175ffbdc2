"""Reader studies: what is asked, of whom, about which images, in which order."""

from feedback_app.studies.enums import ADJUDICATION, CriterionKind, Phase
from feedback_app.studies.models.active import ActiveOrder, Draw, DrawRule
from feedback_app.studies.models.adjudications import AdjudicatedCase, Adjudication
from feedback_app.studies.models.calibration import (
    GuidelineExample,
    TrainingCase,
    TrainingImage,
    TrainingMask,
    TrainingReference,
    TrainingText,
    training_criteria,
)
from feedback_app.studies.models.cases import (
    Case,
    CaseImage,
    CaseMask,
    CaseReference,
    CaseRole,
    GoldAnswer,
)
from feedback_app.studies.models.questions import (
    SCORE_MAX,
    Criterion,
    FlagKind,
    questions_of,
)
from feedback_app.studies.models.reports import (
    CaseText,
    DraftOrigin,
    DraftSet,
    ReportDraft,
    by_lot,
)
from feedback_app.studies.models.slots import Slot, SlotQuerySet
from feedback_app.studies.models.studies import (
    EXPLORATION_PERCENT,
    IMAGES_PER_CASE,
    Allocation,
    CaseOrder,
    Study,
    StudyQuerySet,
    StudyReader,
    StudyState,
)

__all__ = [
    "ADJUDICATION",
    "EXPLORATION_PERCENT",
    "IMAGES_PER_CASE",
    "SCORE_MAX",
    "ActiveOrder",
    "AdjudicatedCase",
    "Adjudication",
    "Allocation",
    "Case",
    "CaseImage",
    "CaseMask",
    "CaseOrder",
    "CaseReference",
    "CaseRole",
    "CaseText",
    "Criterion",
    "CriterionKind",
    "DraftOrigin",
    "DraftSet",
    "Draw",
    "DrawRule",
    "FlagKind",
    "GoldAnswer",
    "GuidelineExample",
    "Phase",
    "ReportDraft",
    "Slot",
    "SlotQuerySet",
    "Study",
    "StudyQuerySet",
    "StudyReader",
    "StudyState",
    "TrainingCase",
    "TrainingImage",
    "TrainingMask",
    "TrainingReference",
    "TrainingText",
    "by_lot",
    "questions_of",
    "training_criteria",
]

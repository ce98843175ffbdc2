"""Images, and everything that real and synthetic ones follow from."""

from feedback_app.images.blobs.models import Blob, Image, Measure
from feedback_app.images.candidates.fitting_models import Fitting, Try
from feedback_app.images.candidates.mask_models import RecipeMask
from feedback_app.images.candidates.models import (
    Batch,
    BatchRecipe,
    Candidate,
    GenerationMode,
    Recipe,
)
from feedback_app.images.candidates.repair_models import Repair
from feedback_app.images.cohorts.models import (
    Box,
    Cohort,
    CohortImage,
    Fingerprint,
    ImportSkip,
    Mask,
    Patient,
    SharedPicture,
    Split,
)
from feedback_app.images.prompts.models import PromptSet, PromptSetVersion, SetPrompt
from feedback_app.images.scorers.models import Scorer, ScorerKind
from feedback_app.images.versions.models import ModelVersion, Promotion, PromotionKind

__all__ = [
    "Batch",
    "BatchRecipe",
    "Blob",
    "Box",
    "Candidate",
    "Cohort",
    "CohortImage",
    "Fingerprint",
    "Fitting",
    "GenerationMode",
    "Image",
    "ImportSkip",
    "Mask",
    "Measure",
    "ModelVersion",
    "Patient",
    "Promotion",
    "PromotionKind",
    "PromptSet",
    "PromptSetVersion",
    "Recipe",
    "RecipeMask",
    "Repair",
    "Scorer",
    "ScorerKind",
    "SetPrompt",
    "SharedPicture",
    "Split",
    "Try",
]

"""Images, and everything that real and synthetic ones follow from."""

from feedback_app.images.models.blobs import Blob, Image, Measure
from feedback_app.images.models.candidates import (
    Batch,
    BatchRecipe,
    Candidate,
    GenerationMode,
    Recipe,
)
from feedback_app.images.models.cohorts import (
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
from feedback_app.images.models.conditions import RecipeMask
from feedback_app.images.models.prompts import PromptSet, PromptSetVersion, SetPrompt
from feedback_app.images.models.scorers import Scorer, ScorerKind
from feedback_app.images.models.versions import ModelVersion, Promotion, PromotionKind

__all__ = [
    "Batch",
    "BatchRecipe",
    "Blob",
    "Box",
    "Candidate",
    "Cohort",
    "CohortImage",
    "Fingerprint",
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
    "Scorer",
    "ScorerKind",
    "SetPrompt",
    "SharedPicture",
    "Split",
]

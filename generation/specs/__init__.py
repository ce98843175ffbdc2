"""The contract between the Django side and the torch side, a file a subject.

Specs are frozen, validated and torch-free. The Django side writes a spec as ``spec.json``
into a run folder; a process of the torch side reads it there. Everybody imports specs from
here; only the files of this folder name each other.
"""

from generation.specs.base_models import (
    ContinueSpec,
    ControlNetSpec,
    PretrainSpec,
)
from generation.specs.candidates import (
    BUNDLED,
    MOST_AT_ONCE,
    PIXELS_AT_ONCE,
    PROMPT_MAX_CHARACTERS,
    SEED_LIMIT,
    GuidanceScale,
    Mode,
    ModelSource,
    Outline,
    RepairSpec,
    Sampler,
    SampleSpec,
    Side,
    Steps,
)
from generation.specs.cells import (
    ARMS,
    ARMS_OF_REAL_IMAGES,
    OWN_GENERATOR,
    Arm,
    CellSpec,
    Precision,
    Stopping,
    Task,
)
from generation.specs.checkpoints import (
    CHECKPOINT_SUFFIXES,
    SUPPORTED_WORDS,
    ConversionSpec,
    require_family,
)
from generation.specs.evaluations import EvaluationSpec
from generation.specs.files import (
    Spec,
    read_spec,
    write_spec,
)
from generation.specs.images import (
    MaskFile,
    MaskKind,
    Split,
    TrainingImage,
)
from generation.specs.learning import (
    PAIR_METHODS,
    PARTS,
    FineTuneSpec,
    Method,
    Part,
    RewardModelSpec,
)
from generation.specs.own_generators import OwnGeneratorSpec
from generation.specs.proxies import (
    ClassifierNetwork,
    ClassifierSpec,
    SegmenterSpec,
)
from generation.specs.readings import (
    AXES,
    Axis,
    Mark,
    MarkGrade,
    Preference,
    Propensity,
    Rating,
    Score,
)
from generation.specs.strict import (
    STRICT,
    naming_the_setting,
)
from generation.specs.vlm_preferences import (
    REPORT_PROMPT,
    VlmComparisonSpec,
    VlmMethod,
    VlmPreferenceSpec,
)
from generation.specs.vlms import VLM_TASKS, BenchmarkSpec, DraftsSpec, QuestionSpec, VlmSpec

__all__ = [
    "ARMS",
    "ARMS_OF_REAL_IMAGES",
    "AXES",
    "BUNDLED",
    "CHECKPOINT_SUFFIXES",
    "MOST_AT_ONCE",
    "OWN_GENERATOR",
    "PAIR_METHODS",
    "PARTS",
    "PIXELS_AT_ONCE",
    "PROMPT_MAX_CHARACTERS",
    "REPORT_PROMPT",
    "SEED_LIMIT",
    "STRICT",
    "SUPPORTED_WORDS",
    "VLM_TASKS",
    "Arm",
    "Axis",
    "BenchmarkSpec",
    "CellSpec",
    "ClassifierNetwork",
    "ClassifierSpec",
    "ContinueSpec",
    "ControlNetSpec",
    "ConversionSpec",
    "DraftsSpec",
    "EvaluationSpec",
    "FineTuneSpec",
    "GuidanceScale",
    "Mark",
    "MarkGrade",
    "MaskFile",
    "MaskKind",
    "Method",
    "Mode",
    "ModelSource",
    "Outline",
    "OwnGeneratorSpec",
    "Part",
    "Precision",
    "Preference",
    "PretrainSpec",
    "Propensity",
    "QuestionSpec",
    "Rating",
    "RepairSpec",
    "RewardModelSpec",
    "SampleSpec",
    "Sampler",
    "Score",
    "SegmenterSpec",
    "Side",
    "Spec",
    "Split",
    "Steps",
    "Stopping",
    "Task",
    "TrainingImage",
    "VlmComparisonSpec",
    "VlmMethod",
    "VlmPreferenceSpec",
    "VlmSpec",
    "naming_the_setting",
    "read_spec",
    "require_family",
    "write_spec",
]

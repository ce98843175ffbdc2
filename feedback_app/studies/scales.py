"""What a study asks: criteria and named artefacts, with good defaults for every mode."""

from dataclasses import dataclass

from django.utils.text import slugify

from feedback_app.studies.models import CriterionKind, StudyMode

SLUG_LENGTH = 32


@dataclass(frozen=True)
class Scale:
    """One criterion: ``anchors[score]`` says what a score means; a comparison has none."""

    name: str
    question: str
    anchors: tuple[str, ...] = ()
    kind: CriterionKind = CriterionKind.ORDINAL

    @property
    def slug(self) -> str:
        return slugify(self.name)[:SLUG_LENGTH]


REALISM = Scale(
    name="Realism",
    question="Could this pass as a real chest radiograph?",
    anchors=(
        "Not recognisable as a chest radiograph",
        "A chest with parts missing, doubled or melted",
        "Synthetic at first glance: several wrong structures",
        "Plausible at a glance, a definite error on reading",
        "Convincing, a subtle flaw only on a second look",
        "I could not tell it from a real radiograph",
    ),
)
FITS_THE_PROMPT = Scale(
    name="Fits the prompt",
    question="Does it show what the prompt asks for?",
    anchors=(
        "Finding absent, or disease where none is asked for",
        "At most a hint of it; something else dominates",
        "Doubtful, or on the wrong side or in the wrong place",
        "Present, but wrong extent, or a relevant extra finding",
        "Right finding and degree; view, sex or age is off",
        "Exactly as described, no less and no more",
    ),
)
DEFAULT_SCALES = (REALISM, FITS_THE_PROMPT)

IMAGE_QUALITY = Scale(
    name="Image quality",
    question="How well can this radiograph be read?",
    anchors=(
        "Not at all",
        "Hardly: the main structures are lost",
        "Poorly: a large finding might be missed",
        "Adequately, with reservations",
        "Well, a small weakness somewhere",
        "As well as one could wish",
    ),
)
"""Its words do not tell an unaware reader that some images are synthetic."""

REAL_OR_SYNTHETIC = Scale(
    name="Real or synthetic",
    question="Is this a real radiograph, or was it made by a model?",
    anchors=(
        "Definitely real",
        "Probably real",
        "Cannot tell",
        "Probably synthetic",
        "Definitely synthetic",
    ),
    kind=CriterionKind.CONFIDENCE,
)

COMPARISONS = (
    Scale(
        name="Realism",
        question="Which could sooner pass as a real chest radiograph?",
        kind=CriterionKind.COMPARISON,
    ),
    Scale(
        name="Fits the prompt",
        question="Which shows better what the prompt asks for?",
        kind=CriterionKind.COMPARISON,
    ),
)

MASK_FLAG = "Mask mismatch"
PROMPT_FLAG = "Prompt mismatch"
TELLTALE_FLAGS = (
    "Excess symmetry",
    "Device that ends nowhere",
    "Garbled text or side marker",
    "Looks like a copy",
)
"""Their names tell that images may be synthetic."""

DEFAULT_FLAGS = (
    "Rib count or continuity",
    "Clavicles",
    "Excess symmetry",
    "Uniform noise",
    "Blurred vessels",
    "Device that ends nowhere",
    "Garbled text or side marker",
    "Heart outline",
    "Hemidiaphragm outline",
    PROMPT_FLAG,
    "Looks like a copy",
)


def default_scales(mode: StudyMode | str, *, has_phases: bool = False) -> tuple[Scale, ...]:
    """What a coordinator starts from; the confidence is asked without being written down."""
    match mode:
        case StudyMode.COMPARE:
            return COMPARISONS
        case StudyMode.REAL_OR_SYNTHETIC:
            return (IMAGE_QUALITY,) if has_phases else ()
        case _:
            return DEFAULT_SCALES


def default_flags(mode: StudyMode | str, *, has_phases: bool = False) -> tuple[str, ...]:
    """Named artefacts to start from, without those that make no sense or tell too much."""
    if mode != StudyMode.REAL_OR_SYNTHETIC:
        return DEFAULT_FLAGS
    left_out = {PROMPT_FLAG, *(TELLTALE_FLAGS if has_phases else ())}
    return tuple(flag for flag in DEFAULT_FLAGS if flag not in left_out)

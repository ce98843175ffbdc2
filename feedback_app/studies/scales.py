"""What a study can ask: criteria and named artefacts, with the defaults of most modes."""

from dataclasses import dataclass

from django.utils.text import slugify

from feedback_app.studies.enums import CriterionKind

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
FITS_THE_MASK = Scale(
    name="Fits the mask",
    question="Is it where the mask says, and as large as the mask?",
    anchors=(
        "Nothing of it, or it lies elsewhere",
        "At most a hint of it in the mask",
        "There, but mostly outside the mask",
        "In the mask, but clearly smaller or larger than it",
        "In the mask and of its size; parts of the outline are off",
        "Follows the mask all around",
    ),
)
DEFAULT_SCALES = (REALISM, FITS_THE_PROMPT)

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

REPORT = Scale(
    name="Report",
    question="Is this the report that you would sign?",
    kind=CriterionKind.REPORT,
)

PREFERENCES = (
    Scale(
        name="Completeness",
        question="Which report leaves out less that matters?",
        kind=CriterionKind.PREFERENCE,
    ),
    Scale(
        name="Correctness",
        question="Which report says less that is wrong?",
        kind=CriterionKind.PREFERENCE,
    ),
    Scale(
        name="Conciseness",
        question="Which report says it in fewer words that are not needed?",
        kind=CriterionKind.PREFERENCE,
    ),
)
"""The criteria of CheXagent's study by five radiologists (arXiv 2401.12208)."""

STANDARD_SCALES = {
    CriterionKind.ORDINAL: DEFAULT_SCALES,
    CriterionKind.COMPARISON: COMPARISONS,
    CriterionKind.REPORT: (REPORT,),
    CriterionKind.PREFERENCE: PREFERENCES,
}
"""What the design form starts from, for each kind of criterion that a coordinator may word."""

MASK_FLAG = "Mask mismatch"
PROMPT_FLAG = "Prompt mismatch"

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

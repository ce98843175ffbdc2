"""What a study asks: anchored scales and named artefacts, with good defaults."""

from dataclasses import dataclass

from django.utils.text import slugify

SLUG_LENGTH = 32


@dataclass(frozen=True)
class Scale:
    """One criterion: ``anchors[score]`` says what a score of 0 to 5 means."""

    name: str
    question: str
    anchors: tuple[str, str, str, str, str, str]

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
    "Prompt mismatch",
    "Mask mismatch",
    "Looks like a copy",
)

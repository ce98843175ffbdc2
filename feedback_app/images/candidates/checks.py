"""What a batch is refused for, before a recipe is written."""

from collections.abc import Sequence

from feedback_app.images.prompts.models import PromptSetVersion
from feedback_app.images.prompts.services import require_prompts_of
from feedback_app.images.versions.models import ModelVersion
from generation.errors import RemediableError
from generation.specs import PROMPT_MAX_CHARACTERS, Mode

MAX_IMAGES = 2_048


def reads_text(mode: Mode) -> bool:
    return mode != "m2i"


def check_mode(
    model_version: ModelVersion, mode: Mode, *, prompts: Sequence[str], has_masks: bool
) -> None:
    """Refuse a mode that the model cannot follow, or that does not fit what was given."""
    if mode != "t2i" and not model_version.follows_masks:
        raise RemediableError(
            f"The model version “{model_version.name}” does not follow masks: "
            "it has no ControlNet.",
            remedy="Generate from text only, or choose a version that follows masks.",
        )
    if has_masks == (mode == "t2i"):
        raise RemediableError(
            "Masks were chosen, but the images are to be made from text only."
            if has_masks
            else "No mask was chosen.",
            remedy="Choose masks with the modes “mask only” and “text and mask” alone.",
        )
    if mode == "tm2i" and not all(prompts):
        raise RemediableError(
            "A prompt is empty.", remedy="Write a text, or choose the mode “mask only”."
        )
    if prompts and not reads_text(mode):
        raise RemediableError(
            "Prompts were written, but the images are to be made from masks only.",
            remedy="Leave the prompts out, or choose the mode “text and mask”.",
        )


def check_prompt_set(version: PromptSetVersion, mode: Mode, *, prompts: Sequence[str]) -> None:
    """Refuse to say that a batch is of a prompt set where its prompts are not."""
    if not reads_text(mode):
        raise RemediableError(
            f"The prompt set {version} was chosen, but the images are to be made from masks only.",
            remedy="Choose no prompt set, or the mode “text and mask”.",
        )
    require_prompts_of(version, prompts)


def check_prompts(prompts: Sequence[str], *, images_per_prompt: int, masks: int = 1) -> None:
    """Refuse what cannot be made, naming it."""
    if not prompts or images_per_prompt < 1:
        raise RemediableError(
            "Nothing was asked for.", remedy="Write at least one prompt, and one image of it."
        )
    for number, prompt in enumerate(prompts, start=1):
        if len(prompt) > PROMPT_MAX_CHARACTERS:
            raise RemediableError(
                f"Prompt {number} has {len(prompt):,} characters; "
                f"{PROMPT_MAX_CHARACTERS:,} are the most.",
                remedy="Shorten it; the model reads the first few dozen words only.",
            )
        if prompt in prompts[: number - 1]:
            raise RemediableError(
                f"The prompt “{prompt}” is there twice (line {number}).",
                remedy="Leave it once, and ask for more images of each prompt.",
            )
    if (count := len(prompts) * masks * images_per_prompt) > MAX_IMAGES:
        raise RemediableError(
            f"{count:,} images are more than the {MAX_IMAGES:,} of a batch.",
            remedy="Ask for fewer prompts, masks or images, or make several batches.",
        )

"""Prompts that are too long for a model version."""

from collections.abc import Sequence
from dataclasses import dataclass

from feedback_app.images.versions.folders import folder_of
from feedback_app.images.versions.models import ModelVersion
from generation.conditioning.tokens import PromptLimit, TooLong, prompt_limit
from generation.errors import RemediableError


@dataclass(frozen=True)
class LongPrompt:
    """``number`` is its line, counted from one."""

    number: int
    found: TooLong


def limit_of(version: ModelVersion) -> PromptLimit | None:
    """Returns how much text the version reads; None where nobody here can know, as of a hub id."""
    try:
        folder = folder_of(version.ancestry[0].location)
    except RemediableError:  # the folder is gone, which the run that needs it will say
        return None
    return prompt_limit(folder / "tokenizer") if folder else None


def long_prompts(version: ModelVersion, prompts: Sequence[str]) -> list[LongPrompt]:
    """Returns those that the version would not read to the end."""
    limit = limit_of(version)
    if limit is None:
        return []
    measured = ((number, limit.measure(prompt)) for number, prompt in enumerate(prompts, start=1))
    return [LongPrompt(number, found) for number, found in measured if found]


def check_length(version: ModelVersion, prompts: Sequence[str]) -> None:
    """Refuse prompts that would be cut."""
    for prompt in long_prompts(version, prompts):
        raise RemediableError(
            f"Prompt {prompt.number} is {prompt.found.excess} tokens longer than "
            f"“{version.name}” reads; it would stop before “{prompt.found.cut[:60]}”.",
            remedy="Shorten it; nothing of a prompt is cut silently.",
        )

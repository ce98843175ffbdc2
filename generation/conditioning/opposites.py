"""Prompts that say the opposite of another in one thing and are the same in all others."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from generation.conditioning.facts import PromptFacts, facts_of
from generation.conditioning.prompts import prompt_for

OTHER_VIEW = {"PA": "AP", "AP": "PA"}
OTHER_SEX = {"F": "M", "M": "F"}
MIDDLE_AGE_YEARS = 50
YOUNG_YEARS, OLD_YEARS = 30, 70
FINDING = "pneumonia"
"""What a prompt of no finding is held against."""


def of_view(facts: PromptFacts) -> PromptFacts:
    return replace(facts, view=OTHER_VIEW.get(facts.view, facts.view))


def of_sex(facts: PromptFacts) -> PromptFacts:
    return replace(facts, sex=OTHER_SEX.get(facts.sex, ""))


def of_age(facts: PromptFacts) -> PromptFacts:
    """Young for old, and old for young; an age that is not said stays unsaid."""
    if facts.age_years is None:
        return facts
    is_young = facts.age_years < MIDDLE_AGE_YEARS
    return replace(facts, age_years=OLD_YEARS if is_young else YOUNG_YEARS)


def of_finding(facts: PromptFacts) -> PromptFacts:
    """No finding for any, and the commonest for none."""
    return replace(facts, findings=() if facts.findings else (FINDING,))


OPPOSITES: Mapping[str, Callable[[PromptFacts], PromptFacts]] = {
    "view": of_view,
    "sex": of_sex,
    "age": of_age,
    "finding": of_finding,
}


def opposite(prompt: str, thing: str) -> str:
    """Say the opposite in one thing; a prompt that does not name it comes back unchanged.

    ``prompt`` is one that ``prompt_for`` has built, or empty.
    """
    if not prompt:
        return prompt
    facts = OPPOSITES[thing](facts_of(prompt))
    return prompt_for(facts.findings, view=facts.view, sex=facts.sex, age_years=facts.age_years)

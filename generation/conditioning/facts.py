"""What a prompt says in the words that prompts are built from, and the age bands."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from generation.conditioning.findings import NORMAL, findings_in

AGE_BANDS = {"under 18": 17, "18 to 39": 39, "40 to 64": 64, "65 and over": 200}
"""The last year of each band."""

SEX_WORDS = {"F": ("female", "woman"), "M": ("male", "man")}


JUDGED_ATTRIBUTES = ("view", "sex", "age", "side")
"""What a judge's phrases begin with; all others name a finding, or that there is none."""
NO_OTHER = "no other finding"
"""The phrase of the attribute *absence*: nothing that a prompt does not name can be seen."""
SIDES = {
    "both": re.compile(r"\b(bilateral(ly)?|both (lungs|sides))\b", re.IGNORECASE),
    "left": re.compile(r"\bleft\b", re.IGNORECASE),
    "right": re.compile(r"\bright\b", re.IGNORECASE),
}
SEX_PHRASES = {"F": "sex female", "M": "sex male"}


@dataclass(frozen=True, kw_only=True)
class PromptFacts:
    """Findings, view, sex, age and side (``both`` too); what is not said is empty."""

    findings: tuple[str, ...] = ()
    view: str = ""
    sex: str = ""
    age_years: int | None = None
    side: str = ""


def facts_of(prompt: str) -> PromptFacts:
    """Read what a prompt names: ``PA view``, ``female``, ``60 years``, ``left`` and findings."""
    view = re.search(r"\b(PA|AP|lateral)(?: view)?\b", prompt, re.IGNORECASE)
    age = re.search(r"\b(\d{1,3})[- ]years?\b", prompt, re.IGNORECASE)
    sexes = [sex for sex, words in SEX_WORDS.items() if _has_word(prompt, words)]
    found = view.group(1) if view else ""
    return PromptFacts(
        findings=tuple(findings_in(prompt)),
        view=found.lower() if found.lower() == "lateral" else found.upper(),
        sex=sexes[0] if len(sexes) == 1 else "",
        age_years=int(age.group(1)) if age else None,
        side=_side_in(prompt),
    )


def _side_in(prompt: str) -> str:
    named = [side for side, words in SIDES.items() if words.search(prompt)]
    return "both" if len(named) > 1 else "".join(named)


def _has_word(text: str, words: tuple[str, ...]) -> bool:
    return re.search(rf"\b(?:{'|'.join(words)})\b", text, re.IGNORECASE) is not None


def age_band(age_years: int | None) -> str:
    """Returns the band's name; empty where the age is not known."""
    if age_years is None:
        return ""
    return next((name for name, last in AGE_BANDS.items() if age_years <= last), "")


def phrases_of(attribute: str, wanted: PromptFacts) -> tuple[str, ...]:
    """Returns what has to be seen of one attribute of a prompt, in the words of a judge's heads."""
    asked: dict[str, tuple[str, ...]] = {
        "finding": wanted.findings or (NORMAL,),
        "view": (f"view {wanted.view}",),
        "sex": (SEX_PHRASES.get(wanted.sex, ""),),
        "age": (f"age {age_band(wanted.age_years)}",),
        "side": (f"side {wanted.side}",),
        "absence": (NO_OTHER,),
    }
    return asked[attribute]


def attribute_of(phrase: str) -> str:
    """Returns the attribute that a judge's phrase is about."""
    if phrase == NO_OTHER:
        return "absence"
    first = phrase.partition(" ")[0]
    return first if first in JUDGED_ATTRIBUTES else "finding"


def absence(wanted: PromptFacts, found: Mapping[str, float]) -> dict[str, float]:
    """Returns how likely the likeliest finding that is not wanted is not there, and how likely it
    is.

    Findings come together, so that the product over all would be far too low. Empty where the
    judge knows no other finding.
    """
    others = {phrase: value for phrase, value in found.items()
              if attribute_of(phrase) == "finding" and phrase != NORMAL
              and phrase not in wanted.findings}  # fmt: skip
    if not others:
        return {}
    likeliest = max(others, key=others.__getitem__)
    return {NO_OTHER: 1 - others[likeliest], likeliest: others[likeliest]}

"""Whether a picture shows what its prompt names, by what a judge saw of it.

As in RoentGen-v2 sex and view must agree, and the age must be near. A thing is shown where it
is as plain as on all but a twentieth of real images with it, and nothing contrary is likelier.
"""

from collections.abc import Mapping
from typing import Literal

from generation.conditioning.facts import AGE_BANDS, PromptFacts, phrases_of
from generation.conditioning.findings import NORMAL

Attribute = Literal["finding", "absence", "side", "view", "sex", "age"]
ATTRIBUTES: tuple[Attribute, ...] = ("finding", "absence", "side", "view", "sex", "age")
AGE_TOLERANCE_YEARS = 16
CALLED_FROM = 0.5


def is_named(attribute: Attribute, wanted: PromptFacts) -> bool:
    """Returns whether a prompt says anything of it; without a finding it asks for none.

    No finding that is not named is wanted. Of two sides nothing is said that can be judged.
    """
    said = {"finding": True, "absence": True, "side": wanted.side in {"left", "right"},
            "view": bool(wanted.view), "sex": bool(wanted.sex)}  # fmt: skip
    return said.get(attribute, wanted.age_years is not None)


def is_shown(
    attribute: Attribute,
    wanted: PromptFacts,
    seen: Mapping[str, float],
    *,
    plain: str,
    is_reached: bool,
) -> bool:
    """Say it of one attribute, of whose phrases ``seen`` has the probabilities.

    ``plain`` is the phrase that was asked for, of several the least visible one, and
    ``is_reached`` whether it is as plain as on real images. A judge knows ages by band: the
    likeliest band has to hold an age within 16 years.
    """
    likeliest = max(seen, key=seen.__getitem__)
    if attribute == "age":
        return wanted.age_years is not None and _is_near(likeliest, wanted.age_years)
    if not is_reached:
        return False
    if attribute == "finding":
        rival = seen.get(NORMAL, 0.0) if wanted.findings else CALLED_FROM
        return seen[plain] >= rival
    return likeliest in phrases_of(attribute, wanted)


def _is_near(band: str, age_years: int) -> bool:
    """Returns whether a band such as ``age 40 to 64`` holds an age that is near."""
    names = list(AGE_BANDS)
    place = names.index(band.removeprefix("age "))
    first = AGE_BANDS[names[place - 1]] + 1 if place else 0
    last = AGE_BANDS[names[place]]
    return first - AGE_TOLERANCE_YEARS <= age_years <= last + AGE_TOLERANCE_YEARS

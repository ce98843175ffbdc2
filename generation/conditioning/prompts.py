"""Prompts from findings, view, sex and age; users' prompts look like these."""

import random
from collections.abc import Sequence

from generation.conditioning.findings import NORMAL
from generation.specs import TrainingImage

OPENING = "chest x-ray"
VIEWS = ("PA", "AP")
SEXES = {"F": "female", "M": "male"}
AGES_YEARS = (30, 50, 70)
"""The middles of the age bands of a prompt set."""

ALL_FINDINGS_SHARE = 0.3
"""How often an image with several findings names them all, not one of them."""
OMISSION_SHARE = 0.1
"""How often a training prompt leaves out the view, the sex or the age."""


def prompt_for(
    findings: Sequence[str] = (), *, view: str = "", sex: str = "", age_years: int | None = None
) -> str:
    """Build a prompt: ``chest x-ray, pneumonia, PA view, female, 60 years``.

    No findings reads ``no finding``; what is empty or not known is left out.
    """
    parts = [OPENING, *(findings or (NORMAL,))]
    if view:
        parts.append(f"{view} view")
    if sex in SEXES:
        parts.append(SEXES[sex])
    if age_years is not None:
        parts.append(f"{age_years} years")
    return ", ".join(parts)


def training_prompt(image: TrainingImage, randomness: random.Random) -> str:
    """Returns a prompt for an image: mostly one of its findings, sometimes all, now and then
    terse.
    """
    findings = list(image.findings)
    if len(findings) > 1 and randomness.random() >= ALL_FINDINGS_SHARE:
        findings = [randomness.choice(findings)]

    def is_named() -> bool:
        return randomness.random() >= OMISSION_SHARE

    return prompt_for(
        findings,
        view=image.view if is_named() else "",
        sex=image.sex if is_named() else "",
        age_years=image.age_years if is_named() else None,
    )


def whole_prompt(image: TrainingImage) -> str:
    """Give the prompt that says everything known of an image."""
    return prompt_for(image.findings, view=image.view, sex=image.sex, age_years=image.age_years)


def prompt_set(
    findings: Sequence[str],
    *,
    views: Sequence[str] = VIEWS,
    sexes: Sequence[str] = tuple(SEXES),
    ages_years: Sequence[int] = AGES_YEARS,
) -> list[str]:
    """Give a prompt for each finding x view x sex x age, in an order that varies all of them early.

    The first few already differ in finding, view, sex and age.
    """
    prompts = [
        prompt_for(() if finding == NORMAL else (finding,), view=view, sex=sex, age_years=age_years)
        for finding in findings
        for view in views
        for sex in sexes
        for age_years in ages_years
    ]
    random.Random(0).shuffle(prompts)
    return prompts


def default_prompts() -> list[str]:
    """Returns the prompt set of the findings that the bundled model has seen often enough."""
    return prompt_set((NORMAL, "pneumonia", "infiltration", "atelectasis", "edema", "effusion"))

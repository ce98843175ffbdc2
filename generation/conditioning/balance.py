"""Prompts from a cohort's labels, balanced by finding, sex, age band and view."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from generation.conditioning.facts import AGE_BANDS, PromptFacts, age_band
from generation.conditioning.findings import NORMAL
from generation.conditioning.prompts import VIEWS, prompt_for
from generation.errors import RemediableError

SEX_WORD = {"F": "female", "M": "male"}
ATTRIBUTES = ("sex", "age_band", "view")
KNOWN = {"sex": tuple(SEX_WORD), "age_band": tuple(AGE_BANDS), "view": VIEWS}

Label = tuple[str, ...]
Cell = tuple[str, str, str]
"""Sex, age band and view; an attribute that the whole cohort lacks is empty in all cells."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """``findings`` may include ``no finding``; the share of prompts with several findings is
    in percent, and those are combinations that occur in the cohort."""

    findings: tuple[str, ...]
    count: int
    several_percent: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Balanced:
    """``shortfalls`` say in words what could not be filled; ``left_out`` are images that lack
    a sex, age or view which others have."""

    prompts: tuple[str, ...]
    shortfalls: tuple[str, ...]
    left_out: int


def balanced_prompts(images: Iterable[PromptFacts], wish: Wish) -> Balanced:
    """Give as many different prompts as are wished for, or as the labels allow.

    Every prompt describes an image that there is: its finding (or all of several), sex, view
    and own age. Findings come equally often; within each, and over all, sexes, age bands and
    views as equally as the labels allow.
    """
    known = list(images)
    lacking = [name for name in ATTRIBUTES if not any(_value(one, name) for one in known)]
    complete = [
        one for one in known if all(name in lacking or _value(one, name) for name in ATTRIBUTES)
    ]
    randomness = random.Random(wish.seed)
    stock = _stock_of(complete, lacking=lacking, randomness=randomness)
    single = [(finding,) for finding in wish.findings]
    several = _combinations(complete, wish.findings)
    several_count = wish.count * wish.several_percent // 100
    quotas = _quotas(single, wish.count - several_count)
    if several_count:
        quotas |= _quotas([label for label, _ in several[:several_count]], several_count)
    prompts, shortfalls = _draw(stock, quotas, seed=wish.seed)
    if several_count and not several:
        shortfalls.append("several findings: no image of the cohort has two of these findings")
    if lacking:
        words = " or ".join(name.replace("_", " ") for name in lacking)
        shortfalls.append(f"{words}: no image of the cohort has one")
    if not prompts:
        raise RemediableError(
            "The cohort has no image with one of these findings and all that is known of others.",
            remedy="Choose other findings, or another cohort.",
        )
    return Balanced(tuple(prompts), tuple(shortfalls), len(known) - len(complete))


def _value(facts: PromptFacts, name: str) -> str:
    value = age_band(facts.age_years) if name == "age_band" else getattr(facts, name)
    return value if value in KNOWN[name] else ""


def _stock_of(
    images: Sequence[PromptFacts], *, lacking: Sequence[str], randomness: random.Random
) -> dict[Label, dict[Cell, list[str]]]:
    """Different prompts by label and cell, in random order; a label is one finding or all."""
    stock: dict[Label, dict[Cell, set[str]]] = defaultdict(lambda: defaultdict(set))
    for image in images:
        labels = {tuple(image.findings)} | {(finding,) for finding in image.findings}
        sex, band, view = ("" if name in lacking else _value(image, name) for name in ATTRIBUTES)
        for label in labels:
            named = replace(image, findings=label, view=view, sex=sex)
            prompt = prompt_for(
                named.findings, view=view, sex=sex, age_years=image.age_years if band else None
            )
            stock[label or (NORMAL,)][sex, band, view].add(prompt)
    shuffled: dict[Label, dict[Cell, list[str]]] = {}
    for label in sorted(stock):
        shuffled[label] = {}
        for cell in sorted(stock[label]):
            prompts = sorted(stock[label][cell])
            randomness.shuffle(prompts)
            shuffled[label][cell] = prompts
    return shuffled


def _combinations(
    images: Iterable[PromptFacts], findings: Sequence[str]
) -> list[tuple[Label, int]]:
    """Returns two findings or more that occur together, the most frequent first."""
    wanted = set(findings)
    counts = Counter(
        tuple(one.findings)
        for one in images
        if len(one.findings) > 1 and wanted.issuperset(one.findings)
    )
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _quotas(labels: Sequence[Label], count: int) -> dict[Label, int]:
    """Returns equal shares; the first labels get what is left over."""
    share, rest = divmod(count, len(labels)) if labels else (0, 0)
    return {label: share + (place < rest) for place, label in enumerate(labels)}


def _draw(
    stock: dict[Label, dict[Cell, list[str]]], quotas: dict[Label, int], *, seed: int
) -> tuple[list[str], list[str]]:
    """Round by round a prompt of each label, from the cell that is furthest behind."""
    randomness = random.Random(seed)
    overall: Counter[tuple[str, str]] = Counter()
    own: dict[Label, Counter[tuple[str, str]]] = defaultdict(Counter)
    drawn: dict[Label, list[str]] = {label: [] for label in quotas}
    order: list[str] = []
    for _ in range(max(quotas.values(), default=0)):
        for label, quota in quotas.items():
            cells = [cell for cell, left in stock.get(label, {}).items() if left]
            if len(drawn[label]) >= quota or not cells:
                continue
            cell = min(
                cells,
                key=lambda cell: (
                    _load(own[label], cell),
                    _load(overall, cell),
                    randomness.random(),
                ),
            )
            prompt = stock[label][cell].pop()
            drawn[label].append(prompt)
            order.append(prompt)
            for part in zip(ATTRIBUTES, cell, strict=True):
                own[label][part] += 1
                overall[part] += 1
    short = [
        f"{' and '.join(label)}: {len(drawn[label])} of {quota} wanted, since the cohort has no "
        "more that differ in sex, age or view"
        for label, quota in quotas.items()
        if len(drawn[label]) < quota
    ]
    return order, short + _missing_values(quotas, own)


def _load(counts: Counter[tuple[str, str]], cell: Cell) -> int:
    return sum(counts[part] for part in zip(ATTRIBUTES, cell, strict=True))


def _missing_values(
    quotas: dict[Label, int], own: dict[Label, Counter[tuple[str, str]]]
) -> list[str]:
    """Say by label which sexes, age bands and views it has no prompt of though others have."""
    occurring = {part for counts in own.values() for part in counts if part[1]}
    lines = []
    for label, quota in quotas.items():
        missing = [
            SEX_WORD.get(value, value)
            for name in ATTRIBUTES
            for value in KNOWN[name]
            if (name, value) in occurring and not own[label][name, value]
        ]
        if missing and own[label] and quota >= len(AGE_BANDS):
            lines.append(f"{' and '.join(label)}: none is {', '.join(missing)}")
    return lines

"""How a curated set is made up by sex, age band and view, beside what it was drawn from.

Curation can thin a group out without anybody's wish: readers may find one group's images worse,
or a model may make it worse. So each share stands beside that which prompts asked for, and beside
what the judge sees in the candidates as they were generated.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet

from feedback_app.curation.models import CuratedSet
from feedback_app.curation.rules import Rules, candidates_of
from feedback_app.images.blobs.models import Measure
from feedback_app.images.models import Candidate
from feedback_app.images.scorers.judges import likeliest
from generation.conditioning.facts import AGE_BANDS, PromptFacts, age_band, facts_of
from generation.statistics.intervals import Interval, share

LOOKED_AT = 3_000
"""Candidates of each side that the judge's measures are read of."""
FEWEST = 20
"""Images of a set that name an attribute, for its shares to be held against others."""
SEXES = {"F": "female", "M": "male"}


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """``named`` is what a prompt says of it, ``values`` in their order."""

    name: str
    values: tuple[str, ...]
    named: Callable[[PromptFacts], str]


ATTRIBUTES = (
    Attribute(name="sex", values=("female", "male"), named=lambda facts: SEXES.get(facts.sex, "")),
    Attribute(name="age", values=tuple(AGE_BANDS), named=lambda facts: age_band(facts.age_years)),
    Attribute(name="view", values=("PA", "AP", "lateral"), named=lambda facts: facts.view),
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One value of an attribute: shares among what names it; None where that is not known.

    ``asked`` by prompts of what was considered, ``generated`` by what the judge sees there,
    ``curated`` by prompts of the set, ``seen`` by what the judge sees in it.
    """

    attribute: str
    value: str
    count: int
    asked: float | None
    generated: float | None
    curated: Interval | None
    seen: float | None

    @property
    def change(self) -> str:
        """In words, where the set's interval leaves out the share that was asked for."""
        if self.curated is None or self.asked is None:
            return ""
        if self.asked > self.curated.high:
            return "thinned out"
        return "more than asked for" if self.asked < self.curated.low else ""


def make_up_of(curated_set: CuratedSet) -> list[Line]:
    """Returns a line a value that is asked for or seen, attribute by attribute."""
    considered = candidates_of(Rules(**curated_set.rules))
    admitted = Candidate.objects.filter(pk__in=curated_set.items.values("candidate"))
    asked, curated = _prompts(considered), _prompts(admitted)
    lines: list[Line] = []
    for attribute in ATTRIBUTES:
        counts = {
            "asked": _named(attribute, asked),
            "curated": _named(attribute, curated),
            "generated": _seen(attribute.name, considered),
            "seen": _seen(attribute.name, admitted),
        }
        occurring = set().union(*counts.values())
        lines += [_line(attribute.name, value, counts)
                  for value in attribute.values if value in occurring]  # fmt: skip
    return lines


def _line(attribute: str, value: str, counts: Mapping[str, Counter[str]]) -> Line:
    shares = {name: _share(of, value) for name, of in counts.items() if name != "curated"}
    curated = counts["curated"]
    is_enough = curated.total() >= FEWEST
    return Line(
        attribute=attribute,
        value=value,
        count=curated[value],
        curated=share(curated[value], curated.total()) if is_enough else None,
        **shares,
    )


def _prompts(rows: "QuerySet[Candidate]") -> dict[str, int]:
    counted = rows.order_by().values_list("recipe__prompt").annotate(count=Count("pk"))
    return dict(counted)


def _named(attribute: Attribute, prompts: Mapping[str, int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for prompt, count in prompts.items():
        if value := attribute.named(facts_of(prompt)):
            found[value] += count
    return found


def _seen(name: str, rows: "QuerySet[Candidate]") -> Counter[str]:
    """Returns what the judge takes each for; its phrases are ``sex female``, ``age 40 to 64``."""
    some: Any = rows.order_by("pk").values("image")[:LOOKED_AT]
    measured = Measure.objects.newest_of(f"visible-{name}").filter(image__in=some)
    phrases = (likeliest(details, value) for details, value
               in measured.values_list("details", "value"))  # fmt: skip
    return Counter(phrase.partition(" ")[2] for phrase in phrases if phrase)


def _share(counts: Counter[str], value: str) -> float | None:
    return counts[value] / counts.total() if counts.total() else None

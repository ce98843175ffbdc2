"""Findings and the phrases that name them, found in the words of a clause.

The phrases of ``findings.json`` are those of radlabels (MIT, LICENSE-findings.txt): 49 findings
by radiologists. Any other table of the same form will do.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Self

FINDINGS_FILE = Path(__file__).with_name("findings.json")
WORD = re.compile(r"[a-z0-9]+")
SHORT_FORMS = {
    "pleural effusion": ("effusion",),
    "pulmonary edema": ("edema",),
    "lung nodule or mass": ("nodule", "mass"),
}
"""What reports of the chest say for short, beyond the phrases of ``findings.json``."""
NOT_MEANT = {
    "pleural effusion": ("joint effusion",),
    "pulmonary edema": ("soft tissue edema", "subcutaneous edema", "cerebral edema"),
    "lung nodule or mass": ("mass effect", "mediastinal mass", "thyroid nodule", "breast mass"),
}
"""What the short forms would name else."""
JOINING = frozenset({"and", "or", "with", "nor", "but"})
MAX_GAP = 3
"""Words that may stand between those of a phrase."""


@dataclass(frozen=True)
class Token:
    """A word without its ending, and where it stands in its text."""

    stem: str
    start: int
    end: int


@dataclass(frozen=True)
class Phrase:
    """The stems of a phrase of a finding."""

    finding: str
    stems: tuple[str, ...]


@dataclass(frozen=True)
class Hit:
    """A finding named by the words from one place to another."""

    finding: str
    start: int
    end: int


class Vocabulary:
    """Findings by their phrases: all words of a phrase, close together, mostly in its order."""

    def __init__(
        self, phrases: Mapping[str, Sequence[str]], *, excluded: Mapping[str, Sequence[str]]
    ):
        self.findings = tuple(phrases)
        self._phrases, self._not_meant = dict(phrases), dict(excluded)
        self._by_stem: dict[str, list[Phrase]] = defaultdict(list)
        for finding, texts in phrases.items():
            for stems in dict.fromkeys(stems_of(text) for text in (finding, *texts)):
                self._by_stem[max(stems, key=len)].append(Phrase(finding, stems))
        self._excluded = {
            finding: [Phrase(finding, stems_of(text)) for text in texts]
            for finding, texts in excluded.items()
        }

    @classmethod
    def read(cls, path: Path = FINDINGS_FILE) -> Self:
        table = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            {
                finding: (*told["aliases"], *SHORT_FORMS.get(finding, ()))
                for finding, told in table.items()
            },
            excluded={
                finding: (*told.get("exclude", ()), *NOT_MEANT.get(finding, ()))
                for finding, told in table.items()
            },
        )

    def extended(
        self, phrases: Mapping[str, Sequence[str]], *, excluded: Mapping[str, Sequence[str]]
    ) -> "Vocabulary":
        """With further findings."""
        return Vocabulary(self._phrases | dict(phrases), excluded=self._not_meant | dict(excluded))

    def hits(self, clause: str) -> list[Hit]:
        """Returns what a clause in small letters names, in its order, by as few words as name
        it.
        """
        tokens = tokens_of(clause)
        stems = {token.stem for token in tokens}
        found: set[Hit] = set()
        for stem in stems:
            for phrase in self._by_stem.get(stem, ()):
                if stems.issuperset(phrase.stems):
                    found.update(_places(phrase, tokens))
        named = sorted(found, key=lambda hit: (hit.start, hit.end, hit.finding))
        return [
            hit
            for hit in named
            if not any(_is_within(other, hit) for other in named)
            and not self._is_excluded(hit, tokens)
        ]

    def _is_excluded(self, hit: Hit, tokens: Sequence[Token]) -> bool:
        """Returns whether its words are part of a phrase that names something else."""
        return any(
            other.start <= hit.start < other.end or other.start < hit.end <= other.end
            for phrase in self._excluded.get(hit.finding, ())
            for other in _places(phrase, tokens)
        )


def tokens_of(text: str) -> list[Token]:
    return [Token(stem(match[0]), *match.span()) for match in WORD.finditer(text)]


def stems_of(text: str) -> tuple[str, ...]:
    return tuple(token.stem for token in tokens_of(text.lower()))


@cache
def stem(word: str) -> str:
    """Returns the singular of a word, roughly; the same for all its spellings."""
    if word.endswith(("oedema", "haem")):
        return word.replace("oe", "e")
    if len(word) < 4 or word.endswith(("ss", "us", "is", "ous")):
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("ases", "oses")):
        return f"{word[:-2]}is"
    if word.endswith("races"):
        return f"{word[:-3]}x"
    return word.removesuffix("es") if word.endswith("sses") else word.removesuffix("s")


def _is_within(one: Hit, other: Hit) -> bool:
    """Returns whether fewer of the other's words already name its finding."""
    return (
        one.finding == other.finding
        and one != other
        and other.start <= one.start
        and one.end <= other.end
    )


def _places(phrase: Phrase, tokens: Sequence[Token]) -> Iterator[Hit]:
    """Where the words of a phrase stand close enough to be one."""
    places = [
        [place for place, token in enumerate(tokens) if token.stem == stem] for stem in phrase.stems
    ]
    if len(places) == 1:
        for place in places[0]:
            yield Hit(phrase.finding, tokens[place].start, tokens[place].end)
        return
    for chosen in product(*places):
        first, last = min(chosen), max(chosen)
        gap = last - first + 1 - len(chosen)
        if gap < 0 or gap > MAX_GAP or len(set(chosen)) < len(chosen):
            continue
        is_in_order = list(chosen) == sorted(chosen)
        between = {token.stem for token in tokens[first : last + 1]}
        if is_in_order or not between & JOINING:
            yield Hit(phrase.finding, tokens[first].start, tokens[last].end)

"""What a parser of reports gives back, whichever parser it is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Presence = Literal["present", "uncertain", "absent"]
STRONGEST_FIRST: tuple[Presence, ...] = ("present", "uncertain", "absent")
Change = Literal["", "new", "worse", "better", "stable", "resolved"]


@dataclass(frozen=True, kw_only=True)
class Mention:
    """One place of a report that tells of a finding; what is not said is empty.

    ``start`` and ``end`` are places in ``sentence``.
    """

    finding: str
    presence: Presence
    side: str = ""
    size: str = ""
    change: Change = ""
    section: str = ""
    sentence: str = ""
    start: int = 0
    end: int = 0

    @property
    def words(self) -> str:
        return self.sentence[self.start : self.end]


@dataclass(frozen=True, kw_only=True)
class ParsedReport:
    """A report's sections, their sentences, and what these tell of."""

    sections: Mapping[str, str]
    sentences: tuple[str, ...]
    mentions: tuple[Mention, ...]

    def presence_of(self, finding: str) -> Presence | None:
        """Returns the strongest that is said of a finding; None where nothing is."""
        return strongest(
            mention.presence for mention in self.mentions if mention.finding == finding
        )

    @property
    def findings(self) -> dict[str, Presence]:
        """The strongest that is said of each finding that is named."""
        told: dict[str, Presence] = {}
        for presence in reversed(STRONGEST_FIRST):
            told |= {
                mention.finding: presence
                for mention in self.mentions
                if mention.presence == presence
            }
        return told


class Parser(Protocol):
    """Rules, a model that learnt on rules, or a language model."""

    def parse(self, report: str) -> ParsedReport: ...


def strongest(told: Iterable[Presence]) -> Presence | None:
    """Presence before uncertainty before absence."""
    found = set(told)
    return next((presence for presence in STRONGEST_FIRST if presence in found), None)

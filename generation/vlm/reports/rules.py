"""The rule parser: phrases of findings, and the words around them that deny or qualify them.

After NegEx (Chapman et al. 2001): within a clause, which ends where a denial's reach does, what
stands before and after a finding decides.
"""

from collections.abc import Iterator

from generation.vlm.reports.mentions import Mention, ParsedReport
from generation.vlm.reports.qualifiers import (
    CLAUSE_END,
    change_in,
    presence_in,
    side_in,
    size_in,
)
from generation.vlm.reports.sections import sections_of
from generation.vlm.reports.sentences import sentences_of
from generation.vlm.reports.vocabulary import Vocabulary

NOT_READ = frozenset({"indication", "technique", "comparison"})
"""Sections that tell why and how, not what is seen."""


class RuleParser:
    """Parses by a vocabulary's phrases; everything is compiled once."""

    def __init__(self, vocabulary: Vocabulary | None = None) -> None:
        self.vocabulary = vocabulary or Vocabulary.read()

    def parse(self, report: str) -> ParsedReport:
        """Returns what the sections tell that describe what is seen."""
        sections = sections_of(report)
        sentences: list[str] = []
        mentions: list[Mention] = []
        for section, text in sections.items():
            if section in NOT_READ:
                continue
            for sentence in sentences_of(text):
                sentences.append(sentence)
                mentions += self.mentions_in(sentence, section=section)
        return ParsedReport(sections=sections, sentences=tuple(sentences), mentions=tuple(mentions))

    def mentions_in(self, sentence: str, *, section: str = "") -> Iterator[Mention]:
        for start, clause in clauses_of(sentence.lower()):
            for hit in self.vocabulary.hits(clause):
                presence = presence_in(clause, hit.start, hit.end)
                if presence:
                    yield Mention(
                        finding=hit.finding,
                        presence=presence,
                        side=side_in(clause, hit.start, hit.end),
                        size=size_in(clause, hit.end),
                        change=change_in(clause),
                        section=section,
                        sentence=sentence,
                        start=start + hit.start,
                        end=start + hit.end,
                    )


def clauses_of(sentence: str) -> Iterator[tuple[int, str]]:
    """Yields the parts of a sentence within which a denial reaches, with their places."""
    start = 0
    for match in CLAUSE_END.finditer(sentence):
        yield start, sentence[start : match.start()]
        start = match.start()
    yield start, sentence[start:]

"""Captions of about five words from the impression of a radiology report, by rules.

The captions that Prakash et al. 2024 (arXiv 2411.18602) condition on name the main finding
with its size and side and say nothing of earlier images. Here a caption is put together from
the words of ``report_words`` alone, so that nothing else of a report can get into it: the
first finding that the impression affirms, from the vocabulary of findings. What is denied,
only suspected, or told of the past gives none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from generation.conditioning.findings import NORMAL
from generation.conditioning.report_words import (
    ABNORMAL,
    BONES,
    BOTH_SIDES,
    CLAUSE_END,
    COMPARED,
    DENIED,
    DENIED_AFTER,
    ITEM_NUMBER,
    KINDS,
    MINOR,
    NEUTRAL,
    NO_ACUTE,
    NOTHING_SEEN,
    PART_END,
    SENTENCE_END,
    SIDES,
    SIZES,
    SUSPECTED,
    SUSPECTED_AFTER,
    UNCHANGED,
    ZONES,
    Kind,
)

CLAUSE_MAX_CHARACTERS = 1_000
"""What goes on longer without a full stop is no sentence of a report, and is not read."""
MENTIONS_MAX = 20
"""More findings in one clause are not looked at: each is searched for before and after."""


class Outcome(StrEnum):
    CAPTIONED = "captioned"
    NORMAL = "normal"
    UNCERTAIN = "uncertain"
    OTHER = "outside the vocabulary"
    EMPTY = "empty"


@dataclass(frozen=True)
class Caption:
    """``text`` is empty unless the outcome is ``CAPTIONED`` or ``NORMAL``."""

    outcome: Outcome
    text: str = ""


@dataclass(frozen=True)
class Mention:
    """A finding in a clause, with the words before and after it that may qualify it."""

    kind: Kind
    text: str
    before: str
    after: str
    is_suspected: bool


def caption_of(impression: str) -> Caption:
    """Returns the main finding of an impression in a few words; see the module."""
    clauses = list(_clauses(impression))
    if not clauses:
        return Caption(Outcome.EMPTY)
    mentions = [mention for clause in clauses for mention in _mentions(clause)]
    affirmed = [mention for mention in mentions if not mention.is_suspected]
    main = [mention for mention in affirmed if mention.kind.name not in MINOR] or affirmed
    if main:
        return Caption(Outcome.CAPTIONED, _words(main[0]))
    if mentions:
        return Caption(Outcome.UNCERTAIN)
    if not any(_names_more(clause) for clause in clauses) and any(
        NOTHING_SEEN.search(UNCHANGED.sub(" ", clause)) for clause in clauses
    ):
        return Caption(Outcome.NORMAL, NORMAL)
    return Caption(Outcome.OTHER)


def _clauses(impression: str) -> Iterator[str]:
    legible = re.sub(r"<br>|\bX{2,}[\w-]*", " ", impression, flags=re.IGNORECASE)
    for sentence in SENTENCE_END.split(ITEM_NUMBER.sub("\n", legible)):
        if not re.search(r"[A-Za-z]{2}", sentence):
            continue
        text = " ".join(sentence.lower().split())
        text = BOTH_SIDES.sub("bilateral", text)
        text = re.sub(r"\bbibas(?:ilar|al)\b", "bilateral basilar", text)
        text = re.sub(r"\bbiapical\b", "bilateral apical", text)
        text = re.sub(r"\b(left|right)-sided\b", r"\1", text)
        if re.search(r"[a-z]{2}", text) and len(text) <= CLAUSE_MAX_CHARACTERS:
            yield text


def _mentions(sentence: str) -> Iterator[Mention]:
    """Yields the findings that a sentence does not deny."""
    text = _without_generalities(sentence)
    for clause in CLAUSE_END.split(text):
        found = sorted(
            ((match, kind) for kind in KINDS for match in kind.pattern.finditer(clause)),
            key=lambda pair: pair[0].start(),
        )
        for place, (match, kind) in enumerate(found[:MENTIONS_MAX]):
            start, end = match.span()
            earlier, later = clause[:start], clause[end:]
            if kind.not_after and kind.not_after.search(earlier):
                continue
            if DENIED.search(earlier) or DENIED_AFTER.search(later):
                continue
            if kind.name == "fracture" and not _bone(clause):
                continue  # of a hand, say
            limit = found[place + 1][0].start() if place + 1 < len(found) else len(clause)
            yield Mention(
                kind=kind,
                text=match.group(),
                before=PART_END.split(clause[found[place - 1][0].end() if place else 0 : start])[
                    -1
                ],
                after=PART_END.split(clause[end:limit])[0],
                is_suspected=bool(SUSPECTED.search(earlier) or SUSPECTED_AFTER.search(later)),
            )


def _without_generalities(sentence: str) -> str:
    """Without “no acute disease” and “no change in”, which deny no finding that follows."""
    text = UNCHANGED.sub(" ", sentence)
    for match in reversed(list(NO_ACUTE.finditer(text))):
        if not re.search(r"\b(?:or|nor)\b", text[match.end() :]):
            text = text[: match.start()] + " ; " + text[match.end() :]
    return text


def _names_more(sentence: str) -> bool:
    """Returns whether it tells of something that is not normal, or of nothing that is known
    here.
    """
    text = _without_generalities(sentence)
    if any(not DENIED.search(text[: match.start()]) for match in ABNORMAL.finditer(text)):
        return True
    told = UNCHANGED.sub(" ", sentence).strip(" .,")
    return bool(told) and not (NOTHING_SEEN.search(told) or NEUTRAL.search(told))


def _words(mention: Mention) -> str:
    kind, before, after = mention.kind, mention.before, mention.after
    parts = [_size(COMPARED.sub(" ", f"{before} {mention.text}"))]
    if kind.has_side:
        parts.append(_side(before) or _side(after))
    name = kind.name
    if kind.plural and re.search(r"(?:ies|s|masses)$", mention.text) and mention.text != "mass":
        name = kind.plural
    zone = _zone(before) or _zone(after) if kind.has_zone else ""
    if kind.name == "fracture":
        zone = _bone(f"{before} {after}")
    if zone.endswith((" lobe", " lung")) and name.startswith("lung "):
        # “right upper lung opacity” names the same finding as “lung opacity”.
        zone = zone.removesuffix(" lobe").removesuffix(" lung")
    if zone == "basal" and re.search(r"\bbases\b", before + after) and not parts[-1]:
        parts[-1] = "bilateral"
    return " ".join(part for part in (*parts, zone, name) if part)


def _size(text: str) -> str:
    """Returns the size that is said last, so nearest to the finding."""
    words = [SIZES[word] for word in re.findall(r"[\w-]+", text) if word in SIZES]
    return words[-1] if words else ""


def _bone(text: str) -> str:
    """Returns the bone of the chest that is named first in the order of the list."""
    return next((bone for pattern, bone in BONES if re.search(pattern, text)), "")


def _side(text: str) -> str:
    words = [SIDES[word] for word in re.findall(r"\w+", text) if word in SIDES]
    return "bilateral" if len(set(words)) > 1 else (words[-1] if words else "")


def _zone(text: str) -> str:
    for pattern, zone in ZONES:
        if match := re.search(rf"\b(?:{pattern})\b", text):
            return match.expand(zone)
    return ""

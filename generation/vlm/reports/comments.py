"""What readers' comments name: artefacts of synthetic images, and findings said to be there or not.

An artefact is named by a phrase of its own, or by a part of the body and a fault near it; an
artefact without a line in ``artefacts.json`` by the words of its name. Nothing here decides
anything: what is found is offered to a person.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from generation.conditioning.findings import FINDINGS, findings_in
from generation.vlm.reports.mentions import Presence, strongest
from generation.vlm.reports.qualifiers import DENIED_WITHIN, presence_in
from generation.vlm.reports.rules import clauses_of
from generation.vlm.reports.sentences import sentences_of
from generation.vlm.reports.vocabulary import Token, Vocabulary, stems_of, tokens_of

ARTEFACTS_FILE = Path(__file__).with_name("artefacts.json")
PROMPT_MISMATCH = "prompt mismatch"
REACH = 6
"""Words that may stand between a part of the body and its fault."""
COMMA = 3
JOINS = frozenset({"and", "or", "the", "left", "right", "both", "of"})
NORMAL_PROMPT = re.compile(
    r"\b(?:normal|no (?:acute )?finding|healthy|unremarkable)\b", re.IGNORECASE
)
LACKING_AFTER = re.compile(r"^(?:\W+\w+){0,3}?\W*\b(?:missing|lacking|nowhere|not there)\b")
LACKING_BEFORE = re.compile(
    r"\b(?:missing|lacks?|lacking|cannot (?:see|find)|can't (?:see|find))\b"
)
FURTHER_NAMES = {
    "edema": ("pulmonary edema", "oedema"),
    "effusion": ("pleural effusion", "pleural fluid"),
    "mass": ("lung mass", "tumour", "tumor"),
    "nodule": ("lung nodule",),
    "infiltration": ("infiltrate",),
    "cardiomegaly": ("enlarged heart", "heart enlarged"),
    "lung opacity": ("opacity",),
    "support devices": ("device", "catheter", "pacemaker", "central line", "tube"),
}
LETTER = re.compile(
    r"\b(?:[Ii]mages?|[Pp]ictures?|[Ff]ilms?|[Oo]n|[Ii]n|[Oo]f|[Tt]han)\s+([A-F])\b"
    r"|(?:^|[;:,.]\s*)([A-F])\s*(?=:|-|,|(?:has|have|is|shows?|looks?|with|ends?)\b)"
    r"|(?<!\w)(?<!Kerley )([B-F])(?=\s*(?::|has|have|is|shows?|looks?|with)\b|\s*$)"
)
"""An image by its letter; the article A at the beginning of a sentence is none."""

Part = tuple[int, int, str]
"""A part of the body: its first and its last word, and the artefact that it belongs to."""


@dataclass(frozen=True, kw_only=True)
class Named:
    """An artefact that a comment names, by ``name`` as it was asked for, in a sentence's words.

    ``letter`` is the image's where one is named.
    """

    name: str
    presence: Presence
    sentence: str
    letter: str = ""


@dataclass(frozen=True)
class _Lexicon:
    """One artefact's phrases; those with a denial in them deny nothing."""

    phrases: Vocabulary
    denying: Vocabulary
    structures: tuple[tuple[str, ...], ...]
    faults: tuple[tuple[str, ...], ...]


def artefacts_in(comment: str, names: Iterable[str]) -> list[Named]:
    """Returns what a comment says of these artefacts: of each sentence that names one, a line."""
    lexicons = {name: _lexicon(name.lower()) for name in names}
    found: list[Named] = []
    for sentence in sentences_of(comment):
        told: dict[str, list[tuple[Presence, int]]] = {}
        for start, clause in clauses_of(sentence.lower()):
            for name, presence, place in _told_in(clause, lexicons):
                told.setdefault(name, []).append((presence, start + place))
        for name, mentions in told.items():
            said = strongest(presence for presence, _ in mentions)
            assert said is not None
            letter = _letter_near(
                sentence, next(place for presence, place in mentions if presence == said)
            )
            found.append(Named(name=name, presence=said, sentence=sentence, letter=letter))
    return found


def findings_named(comment: str) -> dict[str, Presence]:
    """Returns the findings of prompts that a comment names, with the strongest said of each."""
    told: dict[str, list[Presence]] = {}
    for sentence in sentences_of(comment):
        for _, clause in clauses_of(sentence.lower()):
            for hit in _finding_vocabulary().hits(clause):
                is_lacking = _is_lacking(clause, hit.start, hit.end)
                presence = "absent" if is_lacking else presence_in(clause, hit.start, hit.end)
                if presence:
                    told.setdefault(hit.finding, []).append(presence)
    return {finding: found for finding, said in told.items() if (found := strongest(said))}


def contradicts(comment: str, prompt: str) -> list[str]:
    """Returns the findings of which a comment says the opposite of what the prompt asks for."""
    named = findings_named(comment)
    missing = [one for one in findings_in(prompt) if named.get(one) == "absent"]
    if NORMAL_PROMPT.search(prompt):
        return missing + [one for one, presence in named.items() if presence == "present"]
    return missing


def _told_in(clause: str, lexicons: Mapping[str, _Lexicon]) -> Iterator[tuple[str, Presence, int]]:
    for name, lexicon in lexicons.items():
        for hit in lexicon.phrases.hits(clause):
            if presence := presence_in(clause, hit.start, hit.end):
                yield name, presence, hit.start
        for hit in lexicon.denying.hits(clause):
            hidden = clause[: hit.start] + "x" * (hit.end - hit.start) + clause[hit.end :]
            if presence := presence_in(hidden, hit.start, hit.end):
                yield name, presence, hit.start
    for name, start, end in _faulty(clause, lexicons):
        if presence := presence_in(clause, start, end):
            yield name, presence, start


def _faulty(clause: str, lexicons: Mapping[str, _Lexicon]) -> Iterator[tuple[str, int, int]]:
    """Yields each fault with the nearest part of the body, and with those joined to that one."""
    tokens = tokens_of(clause)
    stems = [token.stem for token in tokens]
    parts = sorted(
        {
            (first, last, name)
            for name, lexicon in lexicons.items()
            for phrase in lexicon.structures
            for first, last in _runs(stems, phrase)
        }
    )
    for name, lexicon in lexicons.items():
        for fault in lexicon.faults:
            for first, last in _runs(stems, fault):
                for part in _meant(parts, (first, last), tokens, clause):
                    if part[2] == name:
                        whole = min(part[0], first), max(part[1], last)
                        yield name, tokens[whole[0]].start, tokens[whole[1]].end


def _meant(
    parts: Sequence[Part], fault: tuple[int, int], tokens: Sequence[Token], clause: str
) -> list[Part]:
    """Returns the nearest part, one before the fault rather than after it, and those joined."""
    near = [(far, part) for part in parts if (far := _distance(part, fault, tokens, clause))]
    if not near:
        return []
    least = min(far for far, _ in near)
    meant = [part for far, part in near if far == least]
    for part in reversed(parts):
        between = {token.stem for token in tokens[part[1] + 1 : meant[-1][0]]}
        if part[1] < meant[-1][0] and between and between <= JOINS:
            meant.append(part)
    return meant


def _distance(
    part: Part, fault: tuple[int, int], tokens: Sequence[Token], clause: str
) -> float | None:
    """Returns how far apart they are in words, at least 1; None where they do not belong together.

    A comma counts as ``COMMA`` words; a part that is itself a word of the fault is no part.
    """
    (first, last), is_before = fault, part[1] < fault[0]
    if not is_before and part[0] <= last:
        return None
    left, right = (part[1], first) if is_before else (last, part[0])
    words = right - left - 1
    commas = clause[tokens[left].end : tokens[right].start].count(",")
    return None if words > REACH else 1 + words + COMMA * commas + (0 if is_before else 0.5)


def _runs(stems: Sequence[str], phrase: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Yields where the words of a phrase stand one after the other."""
    for first in range(len(stems) - len(phrase) + 1):
        if tuple(stems[first : first + len(phrase)]) == phrase:
            yield first, first + len(phrase) - 1


def _letter_near(sentence: str, place: int) -> str:
    """Returns the letter before the place, or else the first one after it."""
    letters = [(match.start(), next(filter(None, match.groups()))) for match in
               LETTER.finditer(sentence)]  # fmt: skip
    before = [letter for start, letter in letters if start <= place]
    return before[-1] if before else next((letter for _, letter in letters), "")


def _is_lacking(clause: str, start: int, end: int) -> bool:
    return bool(LACKING_AFTER.search(clause[end:]) or LACKING_BEFORE.search(clause[:start]))


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    told = json.loads(ARTEFACTS_FILE.read_text(encoding="utf-8"))
    return {
        name: {"faults": told["faults"] if "structures" in line else []} | line
        for name, line in told["artefacts"].items()
    }


@cache
def _lexicon(name: str) -> _Lexicon:
    line = _table().get(name, {"phrases": [name]})
    phrases = line.get("phrases", [])
    denying = [phrase for phrase in phrases if DENIED_WITHIN.search(phrase)]
    plain = [phrase for phrase in phrases if phrase not in denying]
    return _Lexicon(
        phrases=_vocabulary(plain),
        denying=_vocabulary(denying),
        structures=tuple(stems_of(text) for text in line.get("structures", [])),
        faults=tuple(stems_of(text) for text in line.get("faults", [])),
    )


def _vocabulary(phrases: Sequence[str]) -> Vocabulary:
    """By its first phrase, since a vocabulary's findings are phrases themselves."""
    named = [phrase for phrase in phrases if stems_of(phrase)]
    return Vocabulary({named[0]: named} if named else {}, excluded={})


@cache
def _finding_vocabulary() -> Vocabulary:
    return Vocabulary(
        {finding: FURTHER_NAMES.get(finding, ()) for finding in FINDINGS},
        excluded={"effusion": ("pericardial effusion", "joint effusion")},
    )

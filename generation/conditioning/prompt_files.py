"""Prompts as people bring them: one a line, or CSV with a column for each fact."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from generation.conditioning.facts import SEX_WORDS
from generation.conditioning.findings import FINDINGS, NORMAL
from generation.conditioning.prompts import prompt_for
from generation.specs import PROMPT_MAX_CHARACTERS

COLUMNS = ("prompt", "findings", "sex", "age", "view")
VIEWS_KNOWN = {view.lower(): view for view in ("PA", "AP", "lateral")}
SEXES_KNOWN = {word: sex for sex, words in SEX_WORDS.items() for word in (sex.lower(), *words)}
AGE_MAX_YEARS = 120


@dataclass(frozen=True)
class BadRow:
    """``number`` is the line in the text, from 1."""

    number: int
    text: str
    reason: str


@dataclass(frozen=True)
class ReadPrompts:
    prompts: tuple[str, ...]
    bad_rows: tuple[BadRow, ...]


def read_prompts(text: str) -> ReadPrompts:
    """Prompts of a text: CSV where its first line names columns, else one a line.

    Without a column ``prompt``, or where it is empty, a row's prompt is built from
    ``findings`` (several are joined by a bar), ``sex``, ``age`` in years and ``view``.
    """
    rows = _rows_of_csv(text) if is_csv(text) else _rows_of_lines(text)
    prompts: dict[str, int] = {}
    bad_rows = []
    for number, raw, prompt in rows:
        reason = prompt.reason if isinstance(prompt, Unusable) else _fault_of(prompt, prompts)
        if reason:
            bad_rows.append(BadRow(number, raw[:200], reason))
        else:
            assert isinstance(prompt, str)
            prompts[prompt] = number
    return ReadPrompts(tuple(prompts), tuple(bad_rows))


@dataclass(frozen=True)
class Unusable:
    reason: str


Row = tuple[int, str, str | Unusable]


def is_csv(text: str) -> bool:
    """Whether the first line names nothing but columns."""
    header = _header_of(text)
    return bool(header) and set(header) <= set(COLUMNS) and bool({"prompt", "findings"} & {*header})


def _header_of(text: str) -> list[str]:
    first = text.lstrip("\ufeff \r\n\t").partition("\n")[0]
    return [name.strip().lower() for name in next(csv.reader([first]), [])]


def _rows_of_lines(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        if prompt := line.strip():
            yield number, prompt, prompt


def _rows_of_csv(text: str) -> Iterator[Row]:
    header = _header_of(text)
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff")))
    is_first = True
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if is_first:
            is_first = False
            continue
        raw = ",".join(cells)
        if len(cells) > len(header):
            fault = f"{len(cells)} cells under {len(header)} columns: put quotes around commas"
            yield reader.line_num, raw, Unusable(fault)
            continue
        row = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
        yield reader.line_num, raw, row.get("prompt") or _built(row)


def _built(row: dict[str, str]) -> str | Unusable:
    findings = [part.strip().lower() for part in row.get("findings", "").split("|") if part.strip()]
    sex, view, age = (row.get(name, "").lower() for name in ("sex", "view", "age"))
    if fault := _fault_of_findings(findings) or _fault_of_facts(sex=sex, view=view, age=age):
        return Unusable(fault)
    return prompt_for(
        [finding for finding in findings if finding != NORMAL],
        view=VIEWS_KNOWN.get(view, ""),
        sex=SEXES_KNOWN.get(sex, ""),
        age_years=int(age) if age else None,
    )


def _fault_of_findings(findings: list[str]) -> str:
    if not findings:
        return "neither a prompt nor findings"
    if unknown := [finding for finding in findings if finding not in (*FINDINGS, NORMAL)]:
        return f"“{unknown[0]}” is no finding that is known"
    if NORMAL in findings and len(findings) > 1:
        return f"“{NORMAL}” goes with no other finding"
    return ""


def _fault_of_facts(*, sex: str, view: str, age: str) -> str:
    if sex and sex not in SEXES_KNOWN:
        return f"“{sex}” is no sex that is known: F or M"
    if view and view not in VIEWS_KNOWN:
        return f"“{view}” is no view that is known: {', '.join(VIEWS_KNOWN.values())}"
    if age and not (re.fullmatch(r"[0-9]{1,3}", age) and int(age) <= AGE_MAX_YEARS):
        return f"“{age}” is no age in whole years"
    return ""


def _fault_of(prompt: str | Unusable, before: dict[str, int]) -> str:
    assert isinstance(prompt, str)
    if len(prompt) > PROMPT_MAX_CHARACTERS:
        return f"{len(prompt):,} characters; {PROMPT_MAX_CHARACTERS:,} are the most"
    if any(not character.isprintable() for character in prompt):
        return "it has a character that cannot be shown"
    if prompt in before:
        return f"the same prompt is in line {before[prompt]}"
    return ""

"""Prompts as people bring them: one a line, or a table with a column for each fact."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from generation.conditioning.facts import SEX_WORDS
from generation.conditioning.findings import FINDINGS, NORMAL
from generation.conditioning.prompts import prompt_for
from generation.delimited import BYTE_ORDER_MARK, SHOWN_CHARACTERS, Table, read_table
from generation.delimited import BadRow as UnreadRow
from generation.errors import RemediableError
from generation.specs import PROMPT_MAX_CHARACTERS

COLUMNS = ("prompt", "findings", "sex", "age", "view")
VIEWS_KNOWN = {view.lower(): view for view in ("PA", "AP", "lateral")}
SEXES_KNOWN = {word: sex for sex, words in SEX_WORDS.items() for word in (sex.lower(), *words)}
AGE_MAX_YEARS = 120
SHOWN_ROWS = 3
OTHER_COLUMNS = frozenset(
    {
        *("", "id", "no", "nr", "number", "index", "name", "file", "filename", "file_name"),
        *("image", "image_id", "text", "texts", "prompts", "caption", "captions", "label"),
        *("labels", "finding", "gender", "race", "patient", "patient_id", "projection", "report"),
    }
)
"""What tables of people call their columns, and no prompt consists of."""
ALONE = frozenset({"prompts", "text", "texts", "caption", "captions"})
"""Names that a column has which stands alone."""
KINDS_OF_TEXT = {
    r"<(!doctype|html|\?xml|svg)\b": "a page or XML",
    r"\{\\rtf": "a document in RTF",
    r"%PDF-": "a PDF document",
    r"PK\x03\x04": "a packed file, or one of Word or Excel",
    r"\[\[?[\w.\"-]+\]\]?\s*$|[\w.-]+\s*=\s*[\[\"'{]": "TOML",
    r"\[\s*$|\{\s*$": "JSON",
    r"---\s*$|- ?prompt:": "YAML",
}
"""By how the first line begins."""
WHOLLY_QUOTED = re.compile(r'^"([^"]+)"$')
COLUMN_NAME = re.compile(r"[^\W\d][\w #./()-]{0,39}")


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
    """Returns prompts of a text: a table where its first line names columns, else one a line.

    Without a column ``prompt``, or where it is empty, a row's prompt is built from
    ``findings`` (several are joined by a bar), ``sex``, ``age`` in years and ``view``. Other
    columns may stand beside a column of prompts; where prompts are built, they are refused.
    """
    table = table_of(text)
    if fault := _fault_of_whole(text, table):
        first = text.removeprefix(BYTE_ORDER_MARK).lstrip().splitlines()[0]
        return ReadPrompts((), (BadRow(1, _legible(first), fault),))
    rows = _rows_of_lines(text) if table is None else _rows_of_table(table)
    prompts: dict[str, int] = {}
    bad_rows = []
    for number, raw, prompt in rows:
        reason = prompt.reason if isinstance(prompt, Unusable) else _fault_of(prompt, prompts)
        if reason:
            bad_rows.append(BadRow(number, _legible(raw), _legible(reason)))
        else:
            assert isinstance(prompt, str)
            prompts[prompt] = number
    return ReadPrompts(tuple(prompts), tuple(bad_rows))


def require_prompts(text: str, *, name: str) -> list[str]:
    """Returns the prompts of a file of which every row must be good, for who cannot be asked."""
    read = read_prompts(text)
    if read.bad_rows:
        told = "; ".join(f"line {row.number}: {row.reason}" for row in read.bad_rows[:SHOWN_ROWS])
        raise RemediableError(
            f"{len(read.bad_rows):,} rows of {name} cannot be used ({told}).",
            remedy="Mend them; a prompt set can also leave them out.",
        )
    return list(read.prompts)


@dataclass(frozen=True)
class Unusable:
    reason: str


Row = tuple[int, str, str | Unusable]


def _fault_of_whole(text: str, table: Table | None) -> str:
    """Returns why a text is no list of prompts at all, empty where it may be one."""
    if kind := kind_of_text(text):
        return f"it is {kind}; prompts come one a line, or as a table with a column “prompt”"
    if table is None:
        is_named = names_other_columns(text)
        return "it names columns, and none of them is “prompt” or “findings”" if is_named else ""
    twice = [name for name in COLUMNS if table.header.count(name) > 1]
    return f"it names the column “{twice[0]}” twice" if twice else ""


def kind_of_text(text: str) -> str:
    """Returns what a text is that people take for a list of prompts; empty where it may be one."""
    start = text.removeprefix(BYTE_ORDER_MARK).lstrip()
    first = start.split("\n", 1)[0].strip()
    for mark, kind in KINDS_OF_TEXT.items():
        if re.match(mark, first, re.IGNORECASE):
            return kind
    for part in (start, first):
        if part.startswith(("[", "{")) and _is_json(part):
            return "JSON"
    return ""


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def table_of(text: str) -> Table | None:
    """Returns the table that a text is, None where its first line names no column of prompts.

    A header names nothing but columns: each a word or two, without a full sentence's signs.
    """
    table = read_table(io.StringIO(text, newline=""), needed=COLUMNS)
    table.header = tuple(name.lower() for name in table.header)
    is_header = bool({"prompt", "findings"} & {*table.header}) and all(
        COLUMN_NAME.fullmatch(name) for name in table.header if name
    )
    return table if is_header else None


def names_other_columns(text: str) -> bool:
    """Returns whether the first line is a header all the same, of columns that tell no prompt."""
    names = [name.lower() for name in read_table(io.StringIO(text, newline="")).header]
    has_rows = len(text.split(maxsplit=1)) > 1
    known = {*COLUMNS, *OTHER_COLUMNS} if len(names) > 1 else ALONE if has_rows else set()
    return bool(names) and {*names} <= known


def names_columns(line: str) -> bool:
    """Returns whether a line names columns of prompts, as the first line of a table does."""
    names = {name.strip().lower() for name in re.split("[,;\t|]", line)}
    return len(names) > 1 and names <= {*COLUMNS} and bool(names & {"prompt", "findings"})


def _rows_of_lines(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.removeprefix(BYTE_ORDER_MARK).splitlines(), start=1):
        prompt = line.strip()
        if names_columns(prompt):
            yield number, prompt, Unusable("it names columns, which the first line of a table does")
        elif prompt:
            yield number, prompt, WHOLLY_QUOTED.sub(r"\1", prompt)


def _rows_of_table(table: Table) -> Iterator[Row]:
    others = [name for name in table.header if name and name not in COLUMNS]
    for row in table:
        if isinstance(row, UnreadRow):
            yield row.line, row.text, Unusable(row.reason)
            continue
        cells = {name: cell.strip() for name, cell in row.cells.items()}
        if prompt := cells.get("prompt"):
            yield row.line, row.text, prompt
        elif others:
            known = ", ".join(COLUMNS)
            fault = f"no prompt is built where there is a column “{others[0]}”; known are {known}"
            yield row.line, row.text, Unusable(fault)
        else:
            yield row.line, row.text, _built(cells)


def _legible(text: str) -> str:
    """Returns the text as a page can show it, with half characters replaced."""
    return text[:SHOWN_CHARACTERS].encode("utf-8", "replace").decode()


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

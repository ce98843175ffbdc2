"""Kind 7: one reader for tables and prompt files, with one answer for each oddity."""

import csv
import gzip
import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback_app.images.prompts.models import PromptSet
from generation.conditioning.findings import FINDINGS
from generation.conditioning.prompt_files import read_prompts
from generation.datasets.attributes import parse_age
from generation.datasets.labels import read_label
from generation.datasets.parsed import Skip
from generation.datasets.tables import count_rows, stream_table
from generation.delimited import BadRow, Row, read_table
from generation.errors import RemediableError
from tests.cases.examples import EXAMPLES
from tests.cases.importing import bring_in, images, png, skips
from tests.generation.dicoms import write
from tests.images.cohort_folders import import_folder

PROMPTS = {
    "bom.txt": (["chest x-ray, mass", "chest x-ray, nodule"], {}),
    "cr_only.txt": (["chest x-ray pneumonia", "chest x-ray effusion"], {}),
    "huge_cell.txt": ([], {2: "opens a quote that is never closed"}),
    "id_column.txt": (["chest x-ray, pneumonia", "chest x-ray, effusion"], {}),
    "nul.txt": ([], {1: "it has a character that cannot be shown"}),
    "semicolon.txt": (
        [
            "chest x-ray, pneumonia, PA view, female, 58 years",
            "chest x-ray, effusion, AP view, male, 60 years",
        ],
        {},
    ),
    "semicolon_prompt.txt": (["chest x-ray, pneumonia"], {}),
    "unclosed.txt": ([], {4: "opens a quote that is never closed"}),
}


@pytest.mark.parametrize("name", PROMPTS)
def test_prompt_files_are_parsed_or_refused_with_a_reason(hard_cases: Path, name: str) -> None:
    read = read_prompts((hard_cases / "prompts" / name).read_bytes().decode())
    prompts, bad_rows = PROMPTS[name]
    assert list(read.prompts) == prompts
    assert {row.number for row in read.bad_rows} == {*bad_rows}
    assert all(bad_rows[row.number] in row.reason for row in read.bad_rows)


@pytest.mark.django_db
@pytest.mark.parametrize("name", PROMPTS)
def test_form_api_and_command_give_one_answer(
    hard_cases: Path, cora_client: Client, name: str
) -> None:
    path = hard_cases / "prompts" / name
    text = path.read_bytes().decode()
    prompts, bad_rows = PROMPTS[name]
    page = cora_client.post(
        reverse("images:prompt-set-new"), {"source": "written", "name": "form", "prompts": text}
    )
    answer = cora_client.post(
        "/api/prompt-sets/", {"name": "api", "text": text}, content_type="application/json"
    )
    if bad_rows:
        assert (page.status_code, answer.status_code) == (400, 400)
        with pytest.raises(CommandError):
            call_command("prompt_set", "command", "--file", str(path))
        assert not PromptSet.objects.exists()
        return
    assert (page.status_code, answer.status_code) == (302, 201)
    call_command("prompt_set", "command", "--file", str(path))
    for made in PromptSet.objects.all():
        assert list(made.latest.texts()) == prompts
    assert PromptSet.objects.count() == 3


def test_where_prompts_are_built_an_unknown_column_is_refused() -> None:
    read = read_prompts("findings,sexx\nedema,F\n")
    assert read.prompts == ()
    assert "no prompt is built where there is a column “sexx”" in read.bad_rows[0].reason


@pytest.mark.parametrize("header", ["id,text", "Finding;Sex;Age", "\ufefffile\tcaption", "id|sex"])
def test_a_header_of_other_columns_is_no_prompt(header: str) -> None:
    read = read_prompts(f"{header}\n1,chest x-ray\n")
    assert read.prompts == ()
    assert read.bad_rows[0].reason == "it names columns, and none of them is “prompt” or “findings”"


@pytest.mark.parametrize("line", ["chest x-ray, edema", "effusion", "edema, mass", "a; b", "view"])
def test_a_prompt_with_commas_is_no_header(line: str) -> None:
    assert read_prompts(line).prompts == (line,)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('["chest x-ray", "b"]', "it is JSON"),
        ('\ufeff{"prompt": "a"}\n{"prompt": "b"}\n', "it is JSON"),
        ('prompts = [\n  "a",\n]\n', "it is TOML"),
        ("---\n- a\n", "it is YAML"),
        ("<!DOCTYPE html>\n<p>a</p>", "it is a page"),
        ("{\\rtf1 a}", "it is a document in RTF"),
        ("%PDF-1.7\n", "it is a PDF"),
        ("Prompts\na\nb\n", "it names columns"),
        ("prompt,sex,prompt\na,F,b\n", "the column “prompt” twice"),
        ("# mine\nprompt,sex\na,F\n", "it names columns"),
    ],
)
def test_files_of_other_kinds_are_no_prompts(text: str, reason: str) -> None:
    assert reason in read_prompts(text).bad_rows[0].reason


def test_prompts_that_are_wholly_quoted_lose_their_quotes() -> None:
    assert read_prompts('"chest x-ray, PA"\n"a "b""\n').prompts == ("chest x-ray, PA", '"a "b""')


def test_half_characters_are_bad_rows_that_a_page_can_show() -> None:
    (row,) = read_prompts("chest \ud800 x-ray\n").bad_rows
    assert row.text.encode() and row.reason == "it has a character that cannot be shown"


# Tables


def read(text: str, *needed: str) -> tuple[list[dict[str, str]], dict[int, str]]:
    good, bad = [], {}
    for row in read_table(io.StringIO(text, newline=""), needed=needed):
        if isinstance(row, BadRow):
            bad[row.number] = row.reason
        else:
            good.append(row.cells)
    return good, bad


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n3,4\n",
        "a;b\r\n1;2\r\n3;4",
        "a\tb\r1\t2\r3\t4\r",
        "\ufeffa|b\n1|2\n3|4\n",
        "sep=;\na;b\n1;2\n3;4\n",
        '\n\n"a" , b \n1,2\n\n3,4\n,,\n',
        "a,b,,\n1,2,,\n3,4\n",
        "a,b\n1,2,\n3,4,,\n",
        '"a", "b"\n1, "2"\n"3", 4\n',
    ],
)
def test_tables_are_one_table_however_they_are_written(text: str) -> None:
    assert read(text) == ([{"a": "1", "b": "2"}, {"a": "3", "b": "4"}], {})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('"patient";"x, y"\n1;2\n', ("patient", "x, y")),
        ('"a, b, c";"d"\n1;2\n', ("a, b, c", "d")),
        ('"a;b;c",d\n1,2\n', ("a;b;c", "d")),
        ('"a,b,c"|"d;e;f"\n1|2\n', ("a,b,c", "d;e;f")),
        ('"a, b"\t"c;d"\n1\t2\n', ("a, b", "c;d")),
        ('"say ""x, y, z""";"d"\n1;2\n', ('say "x, y, z"', "d")),
        ('"a", "b; c; d"\n1, 2\n', ("a", "b; c; d")),
        ('"Finding\nLabels";"x,\r\ny"\n1;2\n', ("Finding Labels", "x, y")),
    ],
)
def test_a_delimiter_within_quotes_never_counts(text: str, names: tuple[str, ...]) -> None:
    table = read_table(io.StringIO(text, newline=""))
    assert table.header == names
    rows = list(table)
    assert [row.cells for row in rows if isinstance(row, Row)] == [
        dict(zip(names, "12", strict=True))
    ]
    assert rows[0].number == 2


def test_a_quote_that_a_header_never_closes_takes_no_row_along() -> None:
    text = '"a;b\n' + "1;2\n" * 30
    rows = list(read_table(io.StringIO(text, newline="")))
    assert len(rows) == 30
    assert rows[-1].line == 31


def test_what_spreadsheets_write_is_what_they_mean() -> None:
    good, bad = read('"patient";"x"\n="007";1,5\n"=""0,1""";2\n=7;3\n')
    assert not bad
    assert [row["patient"] for row in good] == ["007", "0,1", "=7"]
    assert [parse_age(text) for text in ("58,0", "58.0", "1956-03-01", "58,5")] == [
        58,
        58,
        None,
        None,
    ]
    assert [read_label(text) for text in ("1,0", "-1,0", "0,00", "")] == [1, -1, None, 0]


@pytest.mark.parametrize(
    ("text", "number", "reason"),
    [
        ("a,b\n1,2\n3", 3, "1 cells under 2 columns: it is cut off"),
        ("a,b\n1,2\n3,4,5\n", 3, "3 cells under 2 columns: put quotes around commas"),
        ('a,b\n1,2\n3, "4,5"\n', 3, "3 cells under 2 columns: take away spaces before quotes"),
        ('a,b\n1,2\n"3,4\n5,6\n', 3, "never closed, so that the 1 lines after it are lost"),
        ('a,b\n1,2\n"3,4\n5,"6\n7,8', 3, "it goes over several lines: is a quote open?"),
        ("a,b\n1,2\n3,\0\n", 3, "has a NUL character"),
    ],
)
def test_rows_that_do_not_fit_are_named_by_their_number(
    text: str, number: int, reason: str
) -> None:
    good, bad = read(text)
    assert good[0] == {"a": "1", "b": "2"}
    assert reason in bad[number]


def test_a_cell_beyond_all_bounds_is_a_bad_row_and_the_next_one_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("generation.delimited.MAX_CELL_CHARACTERS", 1_000)
    good, bad = read(f"a,b\n1,{'x' * 2_000}\n3,4\n")
    assert (good, {*bad}) == ([{"a": "3", "b": "4"}], {2})


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=8)


@settings(max_examples=EXAMPLES, derandomize=True, deadline=None)
@given(
    rows=st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=6),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    ends=st.sampled_from(["\n", "\r\n", "\r"]),
    has_mark=st.booleans(),
)
def test_what_a_table_holds_is_read_back(
    rows: list[list[str]], delimiter: str, ends: str, *, has_mark: bool
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=ends, quoting=csv.QUOTE_ALL)
    writer.writerows([["id", "two", "three"], *rows])
    text = "\ufeff" * has_mark + file.getvalue()
    good, bad = read(text, "id", "three")
    wanted = [row for row in rows if any(cell.strip() for cell in row)]
    assert [list(row.values()) for row in good] == wanted
    assert not bad


@settings(max_examples=EXAMPLES, derandomize=True, deadline=None)
@given(
    text=st.text(st.sampled_from('a1,;\t|"\r\n\0 \ufeffé'), max_size=60)
    | st.text(max_size=80).map(lambda text: f"prompt,findings\n{text}")
)
def test_any_text_is_prompts_and_bad_rows_and_no_row_is_filled_up(text: str) -> None:
    found = read_prompts(text)
    assert all(prompt.isprintable() and prompt for prompt in found.prompts)
    assert all(row.reason and row.text.encode() is not None for row in found.bad_rows)
    table = read_table(io.StringIO(text, newline=""))
    named = [name for name in table.header if name]
    for row in table:
        assert not isinstance(row, Row) or {*row.cells} == {*named}


# Files of tables


def stream(path: Path, *columns: str) -> tuple[list[dict[str, str]], list[Skip]]:
    found: list[Skip] = []
    return list(stream_table(path, columns=columns, skips=found)), found


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04\x14\0\x08", "has no column 'a'"),
        (b"", "has no column 'a'"),
        (b"a,a\n1,2\n", "has the column 'a' twice"),
        (b"b,c\n1,2\n", "has no column 'a'; it has 'b', 'c'"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_with_its_name(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(RemediableError, match=f"t.csv {reason}") as refused:
        stream(tmp_path / "t.csv", "a")
    assert refused.value.remedy


def test_of_a_packed_table_that_breaks_off_the_rows_before_are_read(tmp_path: Path) -> None:
    content = gzip.compress(b"a,b\n" + b"".join(b"%d,x\n" % k for k in range(9_999)))
    path = tmp_path / "t.csv.gz"
    for spoilt in (content[: len(content) // 2], content[:-8] + b"\1" * 8):
        path.write_bytes(spoilt)
        rows, (skip,) = stream(path, "a")
        assert [row["a"] for row in rows] == [str(k) for k in range(len(rows))]
        assert "breaks off" in skip.reason and f"row {len(rows) + 2}" in skip.file
        assert count_rows(path, columns=["a"]) == len(rows) + 1
    path.write_bytes(content[:20] + b"\0" * 40)
    with pytest.raises(RemediableError, match="is not a CSV file"):
        stream(path, "a")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_tables_are_read_in_their_encoding_or_lose_the_row(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a;b\r\n1;é\r\n2;e\r\n", encoding=encoding, newline="")
    rows, skips = stream(path, "a")
    lost = {"t.csv, row 2": "has bytes that are not UTF-8"} if encoding == "latin-1" else {}
    assert {skip.file: skip.reason for skip in skips} == lost
    assert [row["a"] for row in rows] == (["2"] if lost else ["1", "2"])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("dup.toml", "Cannot overwrite a value"),
        ("num.toml", "should be a valid string"),
        ("typo.toml", "'pleural effusion' is no finding|patients: Unexpected"),
        ("updir.toml", "There is no|no column|is not the path|holds no|Not one image"),
        ("win.toml", "is no mapping that can be used"),
    ],
)
def test_a_mapping_that_says_nothing_sound_is_refused(
    hard_cases: Path, name: str, reason: str
) -> None:
    from generation.datasets.sources import ImportOptions

    folder = hard_cases / "toml_bom"
    run = import_folder(folder, options=ImportOptions(mapping=folder / name))
    assert any(part in run.error for part in reason.split("|")), run.error


@pytest.mark.django_db
def test_a_mapping_with_a_byte_order_mark_is_read(hard_cases: Path) -> None:
    folder = hard_cases / "toml_bom"
    assert not skips(bring_in(folder, mapping=folder / "map.toml"))
    assert images()["a.png"].findings == ["effusion"]


@pytest.mark.django_db
@pytest.mark.parametrize("cell", ["\0", "x" * 200_000, "ä", "=1+1"])
def test_whatever_a_cell_holds_the_import_goes_on(tmp_path: Path, cell: str) -> None:
    write(tmp_path, {"a.png": png(), "b.png": png(1)})
    (tmp_path / "t.csv").write_text(f'f,e,note\na.png,1,"{cell}"\nb.png,1,x\n')
    (tmp_path / "m.toml").write_text(
        f"table = 't.csv'\nfile = 'f'\n[findings]\ne = '{FINDINGS[0]}'\n"
    )
    run = bring_in(tmp_path, mapping=tmp_path / "m.toml")
    assert "b.png" in images()
    assert len(images()) + len(skips(run, "image")) == 2

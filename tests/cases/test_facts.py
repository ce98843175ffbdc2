"""Kind 2: a fact is what a stated table says of a whole value, or it is reported with it."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command

from feedback_app.images.cohorts.models import Cohort, ImportSkip
from generation.conditioning.findings import FINDINGS
from generation.datasets.attributes import (
    RACES,
    parse_age,
    parse_race,
    parse_sex,
    parse_view,
)
from generation.datasets.files import list_pictures
from generation.datasets.mapping import split_names
from generation.datasets.patients import doubts, doubts_of_headers
from tests.cases.importing import bring_in, image_counts, images, png, reasons, skips
from tests.generation.dicoms import dicom, texture, write

OTHERS = {
    "White or Caucasian": "white",
    "Other, non-Hispanic": "other",
    "Other, Hispanic": "hispanic",
    "Not Hispanic or Latino": "",
    "African American": "black",
    "BLACK/CAPE VERDEAN": "black",
    "HISPANIC/LATINO - PUERTO RICAN": "hispanic",
    "WHITE - OTHER EUROPEAN": "white",
    "Asian - Historical Conv": "asian",
    "  white ,  Non-Hispanic ": "white",
}


def test_races_are_matched_whole(hard_cases: Path) -> None:
    with (hard_cases / "chexpert_race" / "CHEXPERT DEMO.csv").open() as file:
        told = {row["PRIMARY_RACE"] for row in csv.DictReader(file)}
    assert None not in {parse_race(text) for text in told}
    assert {text: parse_race(text) for text in OTHERS} == OTHERS


@pytest.mark.parametrize("text", ["Turkish", "White-ish", "not white", "Causasian", "Blackfoot"])
def test_an_unknown_race_is_none_that_is_known(text: str) -> None:
    assert parse_race(text) is None


@pytest.mark.parametrize(
    ("parse", "texts"),
    [
        (parse_sex, ("Woman", "1", "2", "Frau", "f.", "femal")),
        (parse_view, ("POSTEROANTERIOR", "L", "AP_horizontal", "PA?", "P", "lat PA")),
        (parse_age, ("²", "fifty", "-3", "1e1", "121", "inf", "58.5")),
    ],
)
def test_what_is_in_no_table_is_none(
    parse: Callable[[str], object], texts: tuple[str, ...]
) -> None:
    assert [parse(text) for text in texts] == [None] * len(texts)


@pytest.mark.django_db
def test_the_races_of_chexpert_come_in_as_they_are_told(hard_cases: Path) -> None:
    run = bring_in(hard_cases / "chexpert_race", source="chexpert")
    assert image_counts()[0] == 24
    assert not skips(run)
    races = {row.patient.source_id: row.patient.race for row in images().values()}
    assert (races["patient90021"], races["patient90017"]) == ("white", "other")
    assert {*races.values()} == {*RACES, ""}


@pytest.mark.django_db
def test_a_row_that_was_cut_off_is_reported_and_no_patient_without_findings(
    hard_cases: Path,
) -> None:
    run = bring_in(hard_cases / "chexpert_cut", source="chexpert")
    assert image_counts()[0] == 2
    assert skips(run, "image") == {"train.csv, row 4": "6 cells under 19 columns: it is cut off"}


@pytest.mark.django_db
def test_a_cell_too_many_is_reported(hard_cases: Path) -> None:
    folder = hard_cases / "csv_extra_cell2"
    run = bring_in(folder, mapping=folder / "map.toml")
    assert {*images()} == {"a.png"}
    reason = "6 cells under 5 columns: put quotes around commas"
    assert skips(run, "image") == {"labels.csv, row 3": reason}


@pytest.mark.django_db
def test_lists_of_labels_are_read_and_unknown_names_are_no_absence(hard_cases: Path) -> None:
    folder = hard_cases / "csv_label_list"
    run = bring_in(folder, mapping=folder / "map.toml")
    found = {name: row.findings for name, row in images().items()}
    assert found == {"a.png": ["cardiomegaly", "effusion"], "b.png": [], "c.png": ["pneumonia"]}
    assert skips(run) == {"b.png": "the label 'normal' is not among the mapping's names"}
    assert {*images()["b.png"].unknown_findings} == {*FINDINGS}
    assert "pneumonia" not in images()["a.png"].unknown_findings


@pytest.mark.parametrize(
    ("cell", "separator", "names"),
    [
        ("['a b', 'c']", "|", ["a b", "c"]),
        ("[a b, c]", "|", ["a b", "c"]),
        ('["a", "b"]', ",", ["a", "b"]),
        ("['a' 'b']", "|", ["ab"]),
        ("['it''s', 'x", ",", ["['it''s", "x"]),
        ("a|b ||", "|", ["a", "b"]),
        ("[]", ",", []),
        ("nan", ",", ["nan"]),
        ("[" * 500 + "]" * 500, ",", None),
    ],
)
def test_label_lists_of_many_spellings(cell: str, separator: str, names: list[str] | None) -> None:
    found = split_names(cell, separator)
    assert names is None or found == names


@pytest.mark.django_db
def test_sex_view_and_race_that_are_not_known_are_reported_by_value(hard_cases: Path) -> None:
    folder = hard_cases / "csv_sex_view"
    run = bring_in(folder, mapping=folder / "map.toml")
    assert reasons(run, "label") == {
        "the sex 'Woman' is not known": 1,
        "the sex '1' is not known": 1,
        "the view 'POSTEROANTERIOR' is not known": 1,
        "the view 'L' is not known": 1,
        "the view 'AP_horizontal' is not known": 1,
        "the race 'Turkish' is not known": 1,
    }
    assert images()["d.png"].view == "PA"
    assert [images()[f"{name}.png"].patient.sex for name in "abcd"] == ["", "", "M", "F"]


@pytest.mark.django_db
def test_a_mapping_can_say_what_a_tables_own_words_mean(tmp_path: Path) -> None:
    write(tmp_path, {"a.png": png()})
    (tmp_path / "t.csv").write_text("f,s,v\na.png,Woman,L\n")
    (tmp_path / "m.toml").write_text(
        "table = 't.csv'\nfile = 'f'\nsex = 's'\nview = 'v'\n"
        "[values.sex]\nWoman = 'F'\n[values.view]\nL = 'lateral'\n"
    )
    assert not skips(bring_in(tmp_path, mapping=tmp_path / "m.toml"))
    assert (images()["a.png"].patient.sex, images()["a.png"].view) == ("F", "lateral")


@pytest.mark.django_db
def test_rows_of_one_file_that_differ_lose_no_label(tmp_path: Path) -> None:
    write(tmp_path, {"a.png": png(), "b.png": png(1)})
    (tmp_path / "t.csv").write_text(
        "f,p,eff,mass,code\na.png,1,0,1,1 3\na.png,1,1,0,9 2\nb.png,2,0,0,-1\n"
    )
    (tmp_path / "m.toml").write_text(
        "table = 't.csv'\nfile = 'f'\npatient = 'p'\n"
        "[findings]\neff = 'effusion'\nmass = 'mass'\n"
        "[[masks]]\nkind = 'opacity'\ncolumn = 'code'\nwidth = 64\nheight = 64\n"
    )
    run = bring_in(tmp_path, mapping=tmp_path / "m.toml")
    assert images()["a.png"].findings == ["effusion", "mass"]
    assert "its rows differ in eff, mass" in skips(run, "label")["a.png"]
    assert images()["b.png"].findings == []


@pytest.mark.django_db
def test_one_patient_for_nearly_everything_is_warned_of(hard_cases: Path) -> None:
    run = bring_in(hard_cases / "one_patient_id")
    (reason,) = reasons(run, "warning")
    assert "'ANONYMOUS' of 12 images looks like a placeholder" in reason
    assert run.result["warnings"] == 1


@pytest.mark.django_db
def test_the_command_says_each_warning_once(
    hard_cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flat = np.full((64, 64), 90, dtype=np.uint8)
    files = {f"{k}.dcm": dicom(flat + np.uint8(k), PatientID=f"p{k}") for k in range(3)}
    write(tmp_path / "images", files)
    call_command("import_cohort", "folder", str(tmp_path), "--name", "flat")
    call_command("import_cohort", "folder", str(hard_cases / "one_patient_id"), "--name", "x")
    told = capsys.readouterr().out
    assert told.count("look at: ") == 2
    assert "it shows nothing" in told and "looks like a placeholder" in told


@pytest.mark.django_db
def test_warnings_come_before_anything_comes_in(tmp_path: Path) -> None:
    write(tmp_path / "images", {f"{k}.png": png(k) for k in range(6)})
    rows = "".join(f"{k}.png,{'ANON' if k else 'x1'}\n" for k in range(6))
    (tmp_path / "groups.csv").write_text(f"file_name,group\n{rows}")
    run = bring_in(tmp_path)
    first = ImportSkip.objects.filter(run=run).order_by("pk").first()
    assert first is not None and first.what == "warning"
    line = run.log_lines.order_by("pk").first()
    assert line is not None and line.text.startswith("patients (warning)")


@pytest.mark.django_db
def test_nan_is_no_patient(tmp_path: Path) -> None:
    write(tmp_path, {f"{k}.png": png(k) for k in range(4)})
    (tmp_path / "t.csv").write_text("f,p\n0.png,nan\n1.png,NaN\n2.png,\n3.png,7\n")
    (tmp_path / "m.toml").write_text("table = 't.csv'\nfile = 'f'\npatient = 'p'\n")
    run = bring_in(tmp_path, mapping=tmp_path / "m.toml")
    assert image_counts() == (4, 0, 4)
    assert "nan" not in Cohort.objects.get().patients.values_list("source_id", flat=True)
    assert any("'nan' of 1 images" in reason for reason in reasons(run, "warning"))


@pytest.mark.parametrize(
    ("patients", "told"),
    [
        ({"007": 1, "7": 1, "7.0": 1}, "'007', '7', '7.0' may be one"),
        ({"Ab": 2, "aB ": 2}, "may be one"),
        ({"x1": 9, "x2": 1}, "9 of 10 images have one patient id 'x1'"),
        ({"unknown": 2, "x": 0}, "'unknown' of 2 images looks like a placeholder"),
        ({"p1": 2, "p2": 3, "70": 1, "7": 1}, None),
        ({}, None),
    ],
)
def test_doubtful_patients_are_told(patients: dict[str, int], told: str | None) -> None:
    found = [skip.reason for skip in doubts(patients)]
    assert (not found) if told is None else any(told in reason for reason in found)


def test_doubts_of_headers_tell_no_id(tmp_path: Path) -> None:
    names = ["Mustermann-4711"] * 9 + ["0815", "815"]
    files = {f"{k}.dcm": dicom(texture(seed=k), PatientID=n) for k, n in enumerate(names)}
    write(tmp_path, files)
    paths = list(list_pictures(tmp_path)[0].values())
    told = " ".join(skip.reason for skip in doubts_of_headers(paths))
    assert "9 of 11 images have one patient id" in told
    assert "differ only in spelling" in told
    assert not [name for name in names if name in told]

"""Kind 5: data sets as people have them, under all the names that their files go by."""

import shutil
from pathlib import Path

import pytest

from feedback_app.runs.models import State
from tests.cases.importing import bring_in, image_counts, images, reasons
from tests.images.cohort_folders import import_folder

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("case", ["candid_as_distributed", "candid_nosuffix"])
def test_candid_comes_in_without_suffixes_and_with_its_patients(
    hard_cases: Path, case: str
) -> None:
    run = bring_in(hard_cases / case, source="candid")
    assert image_counts() == (6, 3, 3), reasons(run)
    image = images()["1.2.826.0.1.3680043.8.498.1001"]
    assert (image.patient.source_id, image.findings) == ("P0001", ["fracture"])


def test_siims_second_stage_comes_in(hard_cases: Path) -> None:
    bring_in(hard_cases / "siim_stage2", source="siim")
    assert image_counts()[0] == 1


def test_tables_may_lie_a_folder_down_in_other_capitals(hard_cases: Path, tmp_path: Path) -> None:
    shutil.copytree(hard_cases / "siim_stage2", tmp_path / "x")
    (tmp_path / "x" / "tables").mkdir(parents=True)
    table = tmp_path / "x" / "stage_2_train.csv"
    text = table.read_text().replace("EncodedPixels", " encodedpixels")
    (tmp_path / "x" / "tables" / "Stage_2_Train.csv").write_text(text)
    table.unlink()
    bring_in(tmp_path / "x", source="siim")
    assert image_counts()[0] == 1


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("siim", ("train-rle.csv", "stage_2_train.csv")),
        ("candid", ("Pneumothorax_reports.csv",)),
        ("mimic", ("mimic-cxr-2.0.0-metadata.csv",)),
    ],
)
def test_what_was_looked_for_is_said(tmp_path: Path, source: str, names: tuple[str, ...]) -> None:
    run = import_folder(tmp_path, source=source)
    assert run.state == State.FAILED
    assert all(name in run.error for name in names)


def test_a_code_that_is_none_is_no_mask_and_no_absence(hard_cases: Path, tmp_path: Path) -> None:
    shutil.copytree(hard_cases / "siim_stage2", tmp_path / "x")
    table = tmp_path / "x" / "stage_2_train.csv"
    table.chmod(0o644)
    (tmp_path / "x").chmod(0o755)
    table.write_text(table.read_text().replace(",-1", ",nan"))
    run = bring_in(tmp_path / "x", source="siim")
    (image,) = images().values()
    assert image.findings == [] and "pneumothorax" in image.unknown_findings
    assert reasons(run) == {"its run-length code is not made of whole numbers": 1}

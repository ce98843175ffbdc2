"""The build as a whole: sides, wording, thinning, resumption, and the counts of real data."""

import csv
import gzip
import json
import random
import shutil
import tarfile
from collections import Counter
from pathlib import Path
from string import Formatter

import datasets
import PIL.Image
import pytest

from generation.datasets.splits import split_of
from generation.errors import RemediableError
from generation.vlm.instructions import census as counting
from generation.vlm.instructions.build import SPLITS, Built, Request, build
from generation.vlm.instructions.card import make_card
from generation.vlm.instructions.records import Exam, Picture, whole_box
from generation.vlm.instructions.tasks import TEMPLATES, _with_letters
from tests.generation.vlm.made_sources import MAKERS, make, nih, picture, table
from tests.generation.vlm.written import digests, read_rows


def build_with_card(request: Request, folder: Path) -> Built:
    built = build(request, folder)
    make_card(request, folder, parts=built.parts, sides=built.sides)
    return built


@pytest.fixture
def everything(tmp_path: Path) -> Request:
    return Request(folders=make(tmp_path / "data", *MAKERS))


# Wording


@pytest.mark.parametrize("task", TEMPLATES)
def test_a_task_has_about_nine_wordings_that_ask_for_the_same_words(task: str) -> None:
    """The ninth is the bare tag of the task."""
    wordings = TEMPLATES[task]
    assert len(set(wordings)) == len(wordings) == 8
    fields = {frozenset(_fields(wording)) for wording in wordings}
    assert len(fields) == 1


def _fields(wording: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(wording) if name]


def test_letters_are_of_one_style_and_in_no_order() -> None:
    seen = {_with_letters(("x", "y"), random.Random(seed)) for seed in range(200)}
    letters = {(one[1], other[1]) for one, other in seen}
    assert any(one > other for one, other in letters) and any(one < other for one, other in letters)
    assert all(one.isdigit() == other.isdigit() for one, other in letters)
    assert all(one.isupper() == other.isupper() for one, other in letters)


def test_the_answer_is_one_of_the_options_listed(everything: Request, tmp_path: Path) -> None:
    build(everything, tmp_path / "out")
    listed = [row for row in read_rows(tmp_path / "out") if row["options"]]
    assert listed
    for row in listed:
        assert row["answer"].endswith(row["options"][row["option"]])
        assert row["question"].endswith(row["answer"]) or row["answer"] in row["question"]
        assert row["question"].startswith(row["stem"])


@pytest.mark.parametrize(
    ("fractions", "box"),
    [((0.5, 0.25, 0.125, 0.25), (50, 25, 62, 50)), ((0.999, 0, 0.0001, 1), (99, 0, 100, 100)),
     ((0.301, 0.3, 0.001, 0.2), (30, 30, 31, 50))],
)  # fmt: skip
def test_boxes_are_whole_numbers_of_at_least_one(
    fractions: tuple[float, float, float, float], box: tuple[int, int, int, int]
) -> None:
    assert whole_box(*fractions) == box


# Thinning


def exam(number: int, *, is_ill: bool) -> Exam:
    return Exam(
        source="nih",
        key=str(number),
        patient=f"nih:{number}",
        pictures=(Picture(name=f"nih/{number}.png", path=Path()),),
        present=("mass",) if is_ill else (),
        absent=() if is_ill else ("mass",),
        is_normal=not is_ill,
    )


def test_as_many_are_asked_that_lack_a_finding_as_have_it() -> None:
    exams = [exam(number, is_ill=number % 10 == 0) for number in range(5_000)]
    census = counting.take_census(exams, seed="0")
    kept = Counter(
        bool(one.present)
        for one in exams
        if census.keeps(one, "mass", is_present=bool(one.present), task="binary")
    )
    assert kept[True] == 500
    assert 430 <= kept[False] <= 570, "500 are expected, with a deviation of 21"
    assert census.thinned == {"binary": 5_000 - kept.total()}


def test_the_same_exams_are_kept_whatever_is_asked_before() -> None:
    exams = [exam(number, is_ill=number % 3 == 0) for number in range(300)]
    census = counting.take_census(exams, seed="0")

    def kept(order: list[Exam]) -> set[str]:
        return {one.key for one in order if not one.present and census.keeps_normal(one, task="t")}

    assert kept(exams) == kept(exams[::-1])


# Sides


def test_a_patient_is_on_one_side_in_all_sources(everything: Request, tmp_path: Path) -> None:
    built = build(everything, tmp_path / "out")
    sides: dict[str, set[str]] = {}
    images: dict[str, set[str]] = {}
    for row in read_rows(tmp_path / "out"):
        sides.setdefault(row["patient"], set()).add(row["split"])
        for image in row["images"]:
            images.setdefault(image, set()).add(row["split"])
    assert {len(splits) for splits in sides.values()} == {1}
    assert {len(splits) for splits in images.values()} == {1}
    assert built.sides.split_of["mimic:10000002"] == "test"


def test_a_picture_in_two_sources_joins_their_patients(tmp_path: Path) -> None:
    folders = {"nih": nih(tmp_path / "nih", seeds=range(40))}
    covid = tmp_path / "covid_qu"
    rows = []
    for number in range(40):
        original = picture(tmp_path / "again.png", seed=number, side=64)
        copy = covid / "images" / f"c{number}.jpg"
        copy.parent.mkdir(parents=True, exist_ok=True)
        with PIL.Image.open(original) as one:
            one.resize((150, 150), PIL.Image.Resampling.BICUBIC).save(copy, quality=80)
        rows.append((copy.name, "Normal"))
    table(covid / "labels.csv", ("file", "class"), *rows)
    built = build(Request(folders=folders | {"covid_qu": covid}), tmp_path / "out")
    for number in range(40):
        theirs = built.sides.split_of[f"covid_qu:c{number}.jpg"]
        assert (
            theirs == built.sides.split_of[f"nih:{number}"] == split_of(str(number), cohort="nih")
        )
    assert built.sides.alike == {("nih", "covid_qu"): 40}
    assert built.sides.across_sources == 40


def test_wrong_texts_and_pictures_come_from_the_same_side(tmp_path: Path) -> None:
    folders = make(tmp_path / "data", "mimic", "chexpert")
    build(Request(folders=folders), tmp_path / "out")
    sides: dict[str, str] = {}
    rows = list(read_rows(tmp_path / "out"))
    for row in rows:
        if len(row["images"]) == 1:
            sides[row["images"][0]] = row["split"]
    for row in rows:
        assert {sides.get(image, row["split"]) for image in row["images"]} <= {row["split"]}


# Resumption


class Killed(Exception):
    """Stands for the end of the process."""


def test_a_second_build_gives_the_same_bytes(everything: Request, tmp_path: Path) -> None:
    for name in ("one", "two"):
        build_with_card(everything, tmp_path / name)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_another_seed_gives_other_words_on_the_same_sides(
    everything: Request, tmp_path: Path
) -> None:
    build(everything, tmp_path / "one")
    build(Request(folders=everything.folders, seed="1"), tmp_path / "two")
    one, two = (
        {row["id"]: row for row in read_rows(tmp_path / name, source="nih")}
        for name in ("one", "two")
    )
    shared = one.keys() & two.keys()
    assert any(one[key]["question"] != two[key]["question"] for key in shared)
    assert all(one[key]["split"] == two[key]["split"] for key in shared)


@pytest.mark.parametrize("steps", [1, 5, 16, 17, 20, 31])
def test_a_build_that_is_stopped_goes_on_to_the_same_bytes(
    everything: Request, tmp_path: Path, steps: int
) -> None:
    build_with_card(everything, tmp_path / "whole")
    told: list[str] = []

    def stop(line: str) -> None:
        told.append(line)
        if len(told) == steps:
            raise Killed

    with pytest.raises(Killed):
        build(everything, tmp_path / "stopped", report=stop)
    # A process that is killed while it writes leaves half a line, and files without a name yet.
    with (tmp_path / "stopped" / "looks" / "nih.jsonl").open("a") as file:
        file.write('["nih/images/half')
    if not (tmp_path / "stopped" / "parts" / "slake.json").exists():
        (tmp_path / "stopped" / "test").mkdir(exist_ok=True)
        (tmp_path / "stopped" / "test" / "slake.jsonl.part").write_text("half")
    build_with_card(everything, tmp_path / "stopped")
    assert digests(tmp_path / "stopped") == digests(tmp_path / "whole")


def test_a_folder_goes_on_with_its_own_request_only(everything: Request, tmp_path: Path) -> None:
    build(everything, tmp_path / "out")
    with pytest.raises(RemediableError, match="begun with other sources"):
        build(Request(folders=everything.folders, seed="2"), tmp_path / "out")


@pytest.mark.parametrize(
    ("names", "message"),
    [((), "No source is named"), (("ms_cxr",), "is read with the folder of MIMIC-CXR"),
     (("imagenet",), "no source 'imagenet'")],
)  # fmt: skip
def test_sources_that_cannot_be_read_are_refused(
    tmp_path: Path, names: tuple[str, ...], message: str
) -> None:
    request = Request(folders={name: tmp_path / name for name in names})
    with pytest.raises(RemediableError, match=message):
        build(request, tmp_path / "out")


def test_a_picture_that_cannot_be_read_is_left_out_with_the_reason(tmp_path: Path) -> None:
    folder = nih(tmp_path / "nih")
    (folder / "images" / "00000003_000.png").write_bytes(b"not a picture")
    [part] = build(Request(folders={"nih": folder}), tmp_path / "out").parts
    assert part.left_out == {"cannot be read: UnidentifiedImageError": 1}
    rows = list(read_rows(tmp_path / "out"))
    assert rows and not any("00000003" in image for row in rows for image in row["images"])


# The card, and who reads the files


def test_the_card_counts_what_was_written(everything: Request, tmp_path: Path) -> None:
    build_with_card(everything, tmp_path / "out")
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    rows = list(read_rows(tmp_path / "out"))
    assert card["splits"] == {split: sum(row["split"] == split for row in rows) for split in SPLITS}
    counted = Counter((row["source"], row["task"], row["split"]) for row in rows)
    for name, source in card["sources"].items():
        for task, of_splits in source["tasks"].items():
            for split, count in of_splits.items():
                assert counted[name, task, split] == count
    readme = (tmp_path / "out" / "README.md").read_text()
    assert "PhysioNet Credentialed" in readme and "Left out:" in readme


def test_texts_that_training_has_word_for_word_are_counted(tmp_path: Path) -> None:
    folders = make(tmp_path / "data", "mimic")
    build_with_card(Request(folders=folders), tmp_path / "out")
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert card["repeated_in_training"]["test"]["findings generation"] == 1.0


@pytest.mark.slow
def test_the_datasets_library_reads_the_folder(everything: Request, tmp_path: Path) -> None:
    build_with_card(everything, tmp_path / "out")
    loaded = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    rows = Counter(row["split"] for row in read_rows(tmp_path / "out"))
    assert {split: len(loaded[split]) for split in loaded} == rows
    [one] = [row for row in loaded["train"] if row["task"] == "phrase grounding"]
    assert one["boxes"] == [[10, 60, 15, 80], [50, 60, 75, 80]]


# The real files, counted by other means


@pytest.fixture(scope="module")
def real(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Instructions of the real sources that are small; what the tests below count."""
    folder = tmp_path_factory.mktemp("real")
    names = ("nih", "rsna", "nlm_tb", "hannover", "vqa_rad", "openi", "rad_restruct", "chexpert")
    build_with_card(Request(folders={name: real_data / name for name in names}), folder)
    return folder


def entries(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def totals(folder: Path, source: str) -> dict[str, int]:
    card = json.loads((folder / "card.json").read_text())["sources"][source]
    return {task: sum(of_splits.values()) for task, of_splits in card["tasks"].items()}


def thinned(folder: Path, source: str, task: str) -> int:
    card = json.loads((folder / "card.json").read_text())["sources"][source]
    return int(card["thinned"].get(task, 0))


@pytest.mark.slow
def test_the_card_of_nih_counts_what_its_tables_imply(real: Path, real_data: Path) -> None:
    rows = entries(real_data / "nih" / "Data_Entry_2017_v2020.csv")
    counts = totals(real, "nih")
    assert counts["view classification"] == counts["sex classification"] == len(rows)
    labels = Counter(label for row in rows for label in row["Finding Labels"].split("|"))
    findings = {label: count for label, count in labels.items() if label != "No Finding"}
    asked = counts["binary disease classification"]
    # The names are of fourteen findings; every picture is asked for each that occurs.
    whole = len(findings) * len(rows)
    assert asked + thinned(real, "nih", "binary disease classification") == whole
    binary = [row for row in read_rows(real, source="nih") if row["task"].startswith("binary")]
    yes = sum(row["answer"].endswith("yes") for row in binary)
    assert yes == sum(findings.values())
    boxes = entries(real_data / "nih" / "BBox_List_2017.csv")
    assert counts["grounded diagnosis"] == len(boxes)
    pairs = {(box["Image Index"], box["Finding Label"]) for box in boxes}
    assert counts["abnormality grounding"] == len(pairs)


@pytest.mark.slow
def test_the_cards_of_other_sources_count_what_their_files_imply(
    real: Path, real_data: Path
) -> None:
    readings = entries(real_data / "nlm_tb" / "readings.csv")
    counts = totals(real, "nlm_tb")
    assert counts["sex classification"] == sum(row["sex"] in {"F", "M"} for row in readings)
    assert counts["anatomy localisation"] == sum(row["lung_mask"] == "1" for row in readings)
    assert "view classification" not in counts, "all of its pictures are PA"
    pictures = entries(real_data / "hannover" / "data.csv")
    assert totals(real, "hannover")["view classification"] == len(pictures)
    questions = json.loads((real_data / "vqa_rad" / "questions.json").read_text())
    assert sum(totals(real, "vqa_rad").values()) == len(questions)
    opacities = entries(real_data / "rsna" / "stage_2_train_labels.csv")
    with_boxes = {row["patientId"] for row in opacities if row["Target"] == "1"}
    assert totals(real, "rsna")["abnormality grounding"] == len(with_boxes)
    card = json.loads((real / "card.json").read_text())
    assert card["sources"]["chexpert"]["left_out"] == {"is listed, but its file is missing": 5_000}


@pytest.mark.slow
def test_all_questions_of_rad_restruct_are_asked_or_thinned(real: Path, real_data: Path) -> None:
    with tarfile.open(real_data / "openi" / "NLMCXR_reports.tgz") as archive:
        told = {
            Path(member.name).stem: b'Label="FINDINGS">' in content
            or b'Label="IMPRESSION">' in content
            for member in archive
            if member.isfile() and (file := archive.extractfile(member))
            for content in [file.read()]
        }
    implied, without_text = 0, 0
    for part in ("train", "val", "test"):
        with gzip.open(real_data / "rad_restruct" / f"{part}.jsonl.gz", "rt") as lines:
            for row in map(json.loads, lines):
                without_text += not told[row["report"]]
                implied += told[row["report"]] * sum(len(one[2]) > 1 for one in row["qa"])
    task = "text question answering"
    assert totals(real, "rad_restruct")[task] + thinned(real, "rad_restruct", task) == implied
    card = json.loads((real / "card.json").read_text())["sources"]["rad_restruct"]
    assert card["left_out"] == {"is a report without findings and impression": without_text}


@pytest.mark.slow
def test_rsnas_pictures_stay_with_nihs_patients(real: Path, real_data: Path) -> None:
    names = {row["patientId"]: row["Image Index"]
             for row in entries(real_data / "rsna" / "nih_map.csv")}  # fmt: skip
    nih_rows = {Path(row["images"][0]).name: row for row in read_rows(real, source="nih")}
    seen = 0
    for row in read_rows(real, source="rsna"):
        twin = nih_rows[names[Path(row["images"][0]).stem]]
        assert (row["split"], row["patient"]) == (twin["split"], twin["patient"])
        seen += 1
    assert seen


def test_the_folder_of_a_build_can_be_moved(everything: Request, tmp_path: Path) -> None:
    """Names of pictures start from their source's folder, not from this machine's root."""
    build(everything, tmp_path / "out")
    shutil.move(tmp_path / "out", tmp_path / "elsewhere")
    for row in read_rows(tmp_path / "elsewhere"):
        for image in row["images"]:
            source, _, path = image.partition("/")
            assert (everything.folders[source] / path).is_file()

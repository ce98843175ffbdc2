"""Each source's files as instructions, from small data sets in their own layouts."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generation.vlm.instructions.build import Request, build
from generation.vlm.instructions.sources.padchest import age_of
from generation.vlm.instructions.sources.vindr import overlap
from tests.generation.vlm.made_sources import make
from tests.generation.vlm.written import read_rows

Tasks = dict[str, list[dict[str, Any]]]
BuildOf = Callable[..., tuple[Tasks, dict[str, int]]]


@pytest.fixture
def built(tmp_path: Path) -> BuildOf:
    """The rows of the last of these sources by task, and what was left out of it."""

    def of(*names: str) -> tuple[Tasks, dict[str, int]]:
        folders = make(tmp_path / "data", *names)
        parts = build(Request(folders=folders), tmp_path / "out").parts
        tasks: Tasks = defaultdict(list)
        for row in read_rows(tmp_path / "out", source=names[-1]):
            tasks[row["task"]].append(row)
        [part] = [part for part in parts if part.source == names[-1]]
        return tasks, dict(part.left_out)

    return of


def answers(rows: list[dict[str, Any]]) -> list[str]:
    """Without the letters of options, in the order of the alphabet."""
    return sorted(row["options"][row["option"]] if row["options"] else row["answer"]
                  for row in rows)  # fmt: skip


def test_nih_asks_for_findings_view_sex_age_and_boxes(built: BuildOf) -> None:
    tasks, left_out = built("nih")
    assert answers(tasks["image classification"]) == (
        ["effusion, pneumonia"] * 4 + ["no finding"] * 4
    )
    assert answers(tasks["view classification"]) == ["AP"] * 4 + ["PA"] * 4
    assert answers(tasks["sex classification"]) == ["female"] * 4 + ["male"] * 4
    assert len(tasks["age classification"]) == 8
    assert answers(tasks["binary disease classification"]) == ["no"] * 8 + ["yes"] * 8
    [grounding] = tasks["abnormality grounding"]
    assert (grounding["answer"], grounding["labels"]) == ("[50, 25, 62, 50]", ["effusion"])
    assert grounding["images"] == ["nih/images/00000001_000.png"]
    assert "grounded diagnosis" not in tasks, "the only label of all boxes is no question"
    assert left_out == {}


def test_chexpert_makes_one_exam_of_a_study_and_leaves_uncertain_findings_open(
    built: BuildOf,
) -> None:
    tasks, _ = built("chexpert")
    assert answers(tasks["view classification"]) == ["AP", "AP", "lateral", "lateral"]
    assert answers(tasks["view matching"])[-2:] == ["yes", "yes"]
    assert answers(tasks["image classification"]) == ["edema", "no finding"]
    [single] = tasks["single disease identification"]
    assert "pneumonia" not in single["options"], "it is uncertain there"


def test_mimic_reads_the_sections_of_its_reports(built: BuildOf) -> None:
    tasks, _ = built("mimic")
    assert answers(tasks["findings generation"]) == ["The heart is enlarged."] * 3, (
        "what only an earlier examination explains is left out"
    )
    assert (
        answers(tasks["impression generation with indication"])
        == ["Small left pleural effusion."] * 3
    )
    splits = {row["images"][0].split("/")[3]: row["split"] for row in tasks["findings generation"]}
    assert splits == {"p10000001": "train", "p10000002": "test"}, "the splits are MIMIC's own"


def test_structured_reports_are_asked_part_by_part_and_with_the_study_before(
    built: BuildOf,
) -> None:
    tasks, _ = built("mimic", "mimic_struct")
    assert answers(tasks["local findings generation"]) == [
        "Clear.", "The heart is normal.", "The heart is normal.",
    ]  # fmt: skip
    [progression] = tasks["progression findings generation"]
    assert progression["answer"] == "The heart is normal. The left effusion has increased."
    assert progression["images"] == [
        "mimic/files/p10/p10000001/s50000001/a.jpg",
        "mimic/files/p10/p10000001/s50000002/b.jpg",
    ]
    [local] = tasks["local progression impression generation"]
    assert (local["answer"], "Pleura" in local["stem"]) == ("Larger effusion than before.", True)
    assert "view classification" not in tasks, "MIMIC-CXR asks that"


def test_questions_of_differences_show_both_studies(built: BuildOf) -> None:
    tasks, left_out = built("mimic", "mimic_diff_vqa")
    [difference] = tasks["difference question answering"]
    assert difference["answer"] == "an effusion is new."
    assert [Path(name).stem for name in difference["images"]] == ["a", "b"]
    assert answers(tasks["closed question answering"]) == ["yes"]
    assert answers(tasks["open question answering"]) == ["PA view"]
    assert left_out == {"is a study without pictures in MIMIC's folder": 1}


def test_phrases_have_all_their_boxes_and_are_found_in_the_report(built: BuildOf) -> None:
    tasks, left_out = built("mimic", "ms_cxr")
    [grounding] = tasks["phrase grounding"]
    assert grounding["answer"] == "[10, 60, 15, 80] [50, 60, 75, 80]"
    assert answers(tasks["grounded captioning"]) == ["Small left pleural effusion"]
    assert answers(tasks["grounded phrase extraction"]) == ["Small left pleural effusion"]
    assert sum(left_out.values()) == 1


def test_padchest_gathers_a_study_from_rows_that_stand_apart(built: BuildOf) -> None:
    tasks, left_out = built("padchest")
    assert answers(tasks["image classification"]) == ["effusion", "no finding"]
    assert answers(tasks["view classification"]) == ["AP", "PA", "lateral"]
    [effusion] = [row for row in tasks["impression generation"] if "S1" in row["id"]]
    assert effusion["answer"] == "derrame pleural izquierdo ."
    assert effusion["images"] == ["padchest/0/one.png", "padchest/0/one_lateral.png"]
    assert left_out == {"has the projection 'COSTAL'": 1, "is listed, but its file is missing": 1}


def test_padchests_age_is_the_year_of_the_study_less_that_of_birth() -> None:
    row = {"StudyDate_DICOM": "20140915", "PatientBirth": "1930.0"}
    assert age_of(row) == 84
    assert age_of(row | {"PatientBirth": ""}) is None


def test_vindr_keeps_what_two_radiologists_agree_on(built: BuildOf) -> None:
    tasks, left_out = built("vindr")
    found = {row["id"].split("/")[1]: row for row in tasks["abnormality detection"]}
    assert found["v1"]["answer"] == "pleural effusion [51, 50, 71, 80]"
    assert found["v2"]["answer"] == "none"
    assert (found["v3"]["answer"], found["v3"]["split"]) == (
        "cardiomegaly [10, 50, 90, 80]",
        "test",
    )
    assert sum(left_out.values()) == 1


def test_overlap_is_intersection_over_union() -> None:
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(2 / 6)
    assert overlap((0, 0, 1, 1), (2, 2, 3, 3)) == 0


def test_object_cxr_boxes_every_shape(built: BuildOf) -> None:
    tasks, left_out = built("object_cxr")
    assert answers(tasks["foreign object detection"]) == [
        "[10, 20, 30, 40] [50, 50, 60, 70]", "none",
    ]  # fmt: skip
    assert left_out == {
        "has an annotation that is no shape": 1,
        "is listed, but its file is missing": 1,
    }


def test_candid_boxes_masks_and_takes_a_report_without_headings_as_impression(
    built: BuildOf,
) -> None:
    tasks, _ = built("candid")
    assert answers(tasks["pneumothorax localisation"]) == ["[50, 0, 60, 10]", "none"]
    assert answers(tasks["rib fracture localisation"]) == ["none", "none"]
    assert answers(tasks["chest tube localisation"]) == ["[50, 0, 60, 10]"], (
        "a picture without one may show other devices"
    )
    assert "Normal chest." in answers(tasks["impression generation"])


def test_siim_has_one_question_a_picture_however_many_rows(built: BuildOf) -> None:
    tasks, _ = built("siim")
    assert answers(tasks["pneumothorax localisation"]) == [
        "[0, 50, 10, 60] [88, 0, 98, 10]", "none",
    ]  # fmt: skip


def test_slake_takes_english_questions_on_chests(built: BuildOf) -> None:
    tasks, _ = built("slake")
    assert answers(tasks["open question answering"]) == ["Lung"]
    assert answers(tasks["closed question answering"]) == ["no"]
    assert {row["split"] for row in tasks["open question answering"]} == {"test"}


def test_roco_takes_figures_whose_caption_tells_of_a_chest_x_ray(built: BuildOf) -> None:
    tasks, left_out = built("roco")
    assert answers(tasks["image captioning"]) == ["Chest X-ray with a left effusion."]
    assert left_out == {
        "has a caption that tells of no chest X-ray": 1,
        "is listed, but its file is missing": 1,
    }


def test_radnli_relates_sentences_and_keeps_a_premise_on_one_side(built: BuildOf) -> None:
    tasks, left_out = built("radnli")
    rows = tasks["natural language inference"]
    assert answers(rows) == ["contradiction", "entailment", "neutral"]
    assert {row["split"] for row in rows} == {"test"}, "its development part has the same premise"
    assert left_out == {"has the label '-'": 1}


def test_radgraph_names_entities_by_kind_and_knows_mimics_patients(built: BuildOf) -> None:
    tasks, _ = built("radgraph")
    rows = {row["id"].partition("entity recognition/")[2]: row["answer"]
            for row in tasks["entity recognition"] if row["split"] == "train"}  # fmt: skip
    assert rows == {
        "anatomy": "left",
        "observation that is present": "effusion",
        "observation that is uncertain": "none",
        "observation that is absent": "none",
    }


def test_rexval_counts_what_most_raters_counted(built: BuildOf) -> None:
    tasks, _ = built("rexval")
    rows = {row["id"].rpartition("/")[2]: row for row in tasks["report evaluation"]}
    assert rows["radgraph"]["answer"] == "wrong place of a finding: 1"
    assert {rows[kind]["answer"] for kind in ("s_emb", "bleu", "bertscore")} == {"none"}
    assert {row["split"] for row in rows.values()} == {"test"}

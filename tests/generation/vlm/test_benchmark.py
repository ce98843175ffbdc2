"""The benchmark's figures, worked out by hand."""

import math

import numpy as np
import pytest

from generation.statistics.intervals import Interval
from generation.vlm.benchmark.choices import (
    blind_partners,
    choose,
    majority,
    normalised,
    parse_answer,
    rotations,
)
from generation.vlm.benchmark.scoring import Answered, boxes_in, overlap, score_task
from generation.vlm.benchmark.text_metrics import (
    FIVE,
    LABELS,
    label_f1,
    label_parser,
    label_table,
    labels_of,
    measure_texts,
    rouge_l,
)

# Choices


def test_every_option_stands_once_in_every_place() -> None:
    assert rotations(3) == [(0, 1, 2), (1, 2, 0), (2, 0, 1)]


def test_a_long_option_is_not_worse_for_being_long() -> None:
    assert normalised([-1.0, -3.0]) == -2.0 > normalised([-2.5])
    assert normalised([]) == -math.inf


def test_scores_are_taken_back_to_the_questions_own_order() -> None:
    # The first option is a little better, and the first place much better whatever stands there.
    own, place = [-1.0, -1.2, -1.4], [0.5, 0.0, 0.0]
    asked = [
        [own[option] + place[spot] for spot, option in enumerate(order)] for order in rotations(3)
    ]
    choice = choose(asked)
    assert choice.scores == pytest.approx([-1 + 0.5 / 3, -1.2 + 0.5 / 3, -1.4 + 0.5 / 3])
    assert (choice.best, choice.is_stable) == (0, False)


def test_an_answer_that_no_order_changes_is_stable() -> None:
    assert choose([[-1.0, -2.0], [-2.0, -1.0]]).is_stable
    assert choose([[-1.0, -2.0], [-2.0, -1.0]]).best == 0


def test_probabilities_are_the_softmax_of_the_scores() -> None:
    choice = choose([[math.log(3), 0.0], [0.0, math.log(3)]])
    assert choice.probabilities == pytest.approx([0.75, 0.25])


def test_a_question_without_all_its_rotations_is_refused() -> None:
    with pytest.raises(ValueError, match="k rotations of k scores"):
        choose([[0.0, 1.0]])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("(B) pneumonia", 1), ("B", 1), ("The answer is (A).", 0),
        ("(A) or (B)", None), ("pneumonia", 1), ("I see pneumonia here", 1), ("Pneumonia.", 1),
        ("edema and pneumonia", None), ("nothing of it", None), ("", None),
    ],
)  # fmt: skip
def test_an_answer_chooses_one_option_or_none(text: str, place: int | None) -> None:
    assert parse_answer(text, ["edema", "pneumonia"], letters=["A", "B"]) == place


def test_the_longer_of_two_options_that_contain_each_other_was_meant() -> None:
    options = ["effusion", "left effusion"]
    assert parse_answer("a small left effusion", options) == 1
    assert parse_answer("an effusion", options) == 0


def test_the_majority_is_the_most_frequent_answer() -> None:
    assert majority(["no", "yes", "yes", "no", "yes"]) == "yes"
    assert majority([]) == ""


@pytest.mark.parametrize("seed", range(20))
def test_a_blind_question_is_asked_with_another_patients_picture(seed: int) -> None:
    patients = ["a", "a", "b", "c", "c", "c", "d", "a"]
    partners = blind_partners(patients, seed=seed)
    assert sorted(partners) == list(range(8))
    assert all(patients[one] != patients[other] for one, other in enumerate(partners))


def test_nobody_can_swap_with_a_patient_of_most_questions() -> None:
    with pytest.raises(ValueError, match="3 of 4 questions are of one patient"):
        blind_partners(["a", "a", "a", "b"], seed=0)


# A task


def test_what_cannot_be_parsed_is_wrong_and_counted() -> None:
    answered = [
        Answered(patient="a", truth="yes", answer="yes", blind="no", is_stable=True),
        Answered(patient="a", truth="yes", answer=None, blind="yes", is_stable=False),
        Answered(patient="b", truth="no", answer="no", blind="no"),
        Answered(patient="c", truth="no", answer="yes", blind=None),
    ]
    figures = score_task(answered, training_answers=["yes", "yes", "no"])
    assert (figures.questions, figures.patients, figures.unparsable) == (4, 3, 1)
    assert figures.majority and figures.blind and figures.gain
    assert figures.accuracy.value == figures.majority.value == figures.blind.value == 0.5
    assert figures.gain.value == 0.0
    assert figures.stable == 0.5


def test_patients_are_drawn_anew_not_questions() -> None:
    """Ten questions of each of four patients, all right or all wrong: as few as four answers."""
    answered = [
        Answered(patient=str(patient), truth="yes", answer="yes" if patient < 2 else "no")
        for patient in range(4)
        for _ in range(10)
    ]
    figures = score_task(answered, training_answers=["no"])
    assert figures.accuracy.low <= 0.0 + 1e-9 and figures.accuracy.high >= 1.0 - 1e-9


def test_a_task_without_questions_is_refused() -> None:
    with pytest.raises(ValueError, match="without questions"):
        score_task([], training_answers=["yes"])


def test_boxes_are_read_from_an_answer_and_nothing_is_borrowed() -> None:
    assert boxes_in("effusion [10, 20, 30, 40]; mass [1,2,3,4]") == [(10, 20, 30, 40), (1, 2, 3, 4)]
    assert boxes_in("no box, [4, 4, 4, 9] and [1, 2]") == []
    assert overlap([], [(0, 0, 10, 10)]) == 0.0
    assert overlap([], []) == 1.0


def test_overlap_counts_areas_once() -> None:
    assert overlap([(0, 0, 20, 10)], [(10, 0, 30, 10)]) == pytest.approx(1 / 3)
    assert overlap([(0, 0, 10, 10), (0, 0, 10, 10)], [(0, 0, 10, 10)]) == 1.0


# Texts


def test_rouge_l_is_the_f1_of_the_longest_common_subsequence() -> None:
    # “the lungs clear” is common: 3 of 4 words and 3 of 5.
    assert rouge_l("The lungs are clear", "the lungs look quite clear") == pytest.approx(6 / 9)
    assert rouge_l("a b c", "a b c") == 1.0
    assert rouge_l("", "a") == rouge_l("x", "y") == 0.0


@pytest.mark.parametrize(
    ("report", "labels"),
    [
        ("FINDINGS: The heart is enlarged. No effusion.", {"Cardiomegaly"}),
        ("FINDINGS: Clear lungs. Normal heart.", {"No Finding"}),
        ("FINDINGS: Right PICC line. Lungs are clear.", {"Support Devices", "No Finding"}),
        ("FINDINGS: Possible pneumonia. Small effusions.", {"Pneumonia", "Pleural Effusion"}),
        ("FINDINGS: Right basilar opacity and a nodule.", {"Lung Opacity", "Lung Lesion"}),
        ("FINDINGS: Pericardial effusion.", {"No Finding"}),
    ],
)
def test_a_report_has_the_labels_that_it_affirms_or_doubts(report: str, labels: set[str]) -> None:
    assert labels_of(report, parser=label_parser()) == labels


def test_macro_is_over_labels_that_occur_and_micro_over_decisions() -> None:
    said = np.zeros((3, len(LABELS)), dtype=bool)
    truth = said.copy()
    edema, effusion = LABELS.index("Edema"), LABELS.index("Pleural Effusion")
    truth[:, edema] = [True, True, False]
    said[:, edema] = [True, False, False]
    truth[:, effusion] = [True, False, False]
    said[:, effusion] = [True, True, True]
    scores = label_f1(said, truth, labels=LABELS)
    assert scores.of_labels == {"Edema": pytest.approx(2 / 3), "Pleural Effusion": 0.5}
    assert scores.macro == pytest.approx((2 / 3 + 0.5) / 2)
    assert scores.micro == pytest.approx(2 * 2 / (4 + 3))
    assert scores.support["Edema"] == 2 and scores.support["Fracture"] == 0
    assert label_f1(said, truth, labels=FIVE).macro == scores.macro


def test_reports_that_are_their_references_are_perfect() -> None:
    reports = [
        "FINDINGS: Small left pleural effusion. The heart is enlarged today.",
        "FINDINGS: Clear lungs without pneumothorax or effusion today.",
    ]
    figures = measure_texts(reports, reports, patients=["a", "b"])
    assert figures.bleu == pytest.approx(1.0)
    assert figures.rouge_l == Interval(1.0, 1.0, 1.0)
    assert figures.fourteen.micro == figures.fourteen.macro == 1.0
    assert "version:" in figures.bleu_signature


def test_a_report_that_says_the_opposite_shares_words_but_no_label() -> None:
    figures = measure_texts(
        ["FINDINGS: There is no pneumothorax."], ["FINDINGS: There is a pneumothorax."],
        patients=["a"],
    )  # fmt: skip
    assert figures.rouge_l.value == pytest.approx(0.8)
    assert figures.fourteen.micro == 0.0
    assert label_table(["FINDINGS: There is no pneumothorax."], parser=label_parser()).sum() == 1

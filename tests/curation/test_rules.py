"""Which candidates a policy lets in, and why the others stay out."""

import pytest

from feedback_app.accounts.models import User
from feedback_app.curation.rules import (
    NOT_MEASURED,
    TOO_CLOSE,
    Rules,
    Verdict,
    evaluate,
)
from feedback_app.images.models import Measure
from feedback_app.readings.services import GivenFlag
from tests.curation.stage import Stage, measure_copy, set_stage
from tests.readings.answers import read as read_slot
from tests.readings.rooms import assign, make_room, synthetic

REALISM = {"realism": 3.0}


def judge(*stages: Stage, **rules: object) -> Verdict:
    studies = tuple(sorted(str(stage.study.pk) for stage in stages))
    return evaluate(Rules(studies=studies, **rules))  # type: ignore[arg-type]


def admitted(verdict: Verdict) -> set[object]:
    return {item.candidate_id for item in verdict.admitted}


def test_an_unread_candidate_stays_out(stage: Stage) -> None:
    verdict = judge(stage)
    assert verdict.admitted == []
    assert verdict.refused == {"not read yet": 4}


def test_the_mean_over_readers_decides(stage: Stage, rosa: User, ravi: User) -> None:
    stage.read(rosa, 0, 5)
    stage.read(ravi, 0, 2)  # mean 3.5
    stage.read(rosa, 1, 4)
    stage.read(ravi, 1, 1)  # mean 2.5
    verdict = judge(stage, min_mean_scores={"realism": 3.5})
    (item,) = verdict.admitted
    assert item.candidate_id == stage.candidates[0].pk
    assert item.mean_scores == {"fits-the-prompt": 3.5, "realism": 3.5}
    assert item.reader_count == 2
    assert verdict.refused == {"not read yet": 2, "mean of “Realism” below 3.5": 1}
    assert verdict.considered == 4


def test_only_the_last_revision_counts(stage: Stage, rosa: User) -> None:
    stage.read(rosa, 0, 5)
    stage.read(rosa, 0, 1)
    assert judge(stage, min_mean_scores=REALISM).refused["mean of “Realism” below 3"] == 1


def test_too_few_readers_keep_out(stage: Stage, rosa: User, ravi: User) -> None:
    stage.read(rosa, 0, 5)
    stage.read(ravi, 0, 5)
    stage.read(rosa, 1, 5)
    verdict = judge(stage, min_readers=2)
    assert admitted(verdict) == {stage.candidates[0].pk}
    assert verdict.refused == {"read by fewer than 2 readers": 1, "not read yet": 2}


def test_a_skipped_case_is_not_read(stage: Stage, rosa: User) -> None:
    image = stage.candidates[0].image
    slot = stage.study.slots.get(reader=rosa, case__images=image)
    read_slot(slot, scores=[], skip_reason="technical", flags=[GivenFlag(0, "clavicles", "major")])
    assert judge(stage, vetoing_flags=("clavicles",)).refused == {"not read yet": 4}


def test_how_surely_an_image_is_real_is_no_score_of_it(rosa: User) -> None:
    image = synthetic(1)
    study = make_room("real_or_synthetic", rosa, cases=[[image]])
    read_slot(assign(study, rosa)[0], value=4)
    verdict = evaluate(Rules(studies=(str(study.pk),), refuses_copies=False))
    assert verdict.refused == {"not read yet": 1}


def share_candidate(first: Stage, second: Stage) -> None:
    """Let the second study's only case show the first study's first candidate."""
    second.study.cases.get().case_images.update(image=first.candidates[0].image)
    second.candidates = first.candidates


def test_people_and_simulated_readers_never_count_together(rosa: User, simon: User) -> None:
    people = set_stage(rosa, name="People", count=1)
    simulated = set_stage(simon, name="Simulated", count=1)
    share_candidate(people, simulated)
    people.read(rosa, 0, 1)
    simulated.read(simon, 0, 5)
    assert judge(people, simulated, min_mean_scores=REALISM).admitted == []
    (item,) = judge(
        people, simulated, min_mean_scores=REALISM, uses_simulated_readers=True
    ).admitted
    assert (item.reader_count, item.mean_scores["realism"]) == (1, 5)


@pytest.mark.parametrize(
    ("seen", "vetoing", "gets_in"),
    [("minor", "minor", False), ("minor", "major", True), ("major", "major", False)],
)
def test_a_flag_of_the_vetoing_grade_keeps_out(
    stage: Stage, rosa: User, seen: str, vetoing: str, gets_in: bool
) -> None:
    stage.read(rosa, 0, 5, flags={"clavicles": seen})
    verdict = judge(stage, vetoing_flags=("clavicles",), vetoing_grade=vetoing)
    assert bool(verdict.admitted) is gets_in
    assert verdict.refused.get("flagged: Clavicles", 0) == (not gets_in)


def test_one_readers_flag_is_enough(stage: Stage, rosa: User, ravi: User) -> None:
    stage.read(rosa, 0, 5)
    stage.read(ravi, 0, 5, flags={"clavicles": "minor"})
    assert judge(stage, vetoing_flags=("clavicles",)).admitted == []


def test_other_flags_do_not_keep_out(stage: Stage, rosa: User) -> None:
    stage.read(rosa, 0, 5, flags={"clavicles": "major"})
    assert judge(stage, vetoing_flags=("heart-outline",)).admitted


def test_a_near_copy_of_a_training_image_stays_out(stage: Stage, rosa: User) -> None:
    stage.read(rosa, 0, 5)
    image = stage.candidates[0].image
    Measure.objects.filter(image=image).delete()
    measure_copy(image, value=0.95, threshold=0.9)
    assert judge(stage).refused[TOO_CLOSE] == 1
    assert judge(stage, refuses_copies=False).admitted


def test_a_candidate_that_was_not_measured_stays_out(rosa: User) -> None:
    stage = set_stage(rosa, measured=False)
    stage.read(rosa, 0, 5)
    assert judge(stage).refused[NOT_MEASURED] == 1


def test_readings_of_two_studies_count_for_one_candidate(rosa: User, ravi: User) -> None:
    first = set_stage(rosa, name="First", count=1)
    second = set_stage(ravi, name="Second", count=1)
    share_candidate(first, second)
    first.read(rosa, 0, 5)
    second.read(ravi, 0, 2)
    (item,) = judge(first, second).admitted
    assert (item.mean_scores["realism"], item.reader_count) == (3.5, 2)


def test_a_mean_of_thirds_is_rounded_the_same_every_time(stage: Stage, rosa: User) -> None:
    """(5 + 4 + 4) / 3 = 4.3333, by hand."""
    third = User.objects.create_user("rita")
    fourth = User.objects.create_user("ruth")
    trio = set_stage(rosa, third, fourth, name="Trio")
    for reader, score in ((rosa, 5), (third, 4), (fourth, 4)):
        trio.read(reader, 0, score)
    assert judge(trio).admitted[0].mean_scores["realism"] == 4.3333


def measure_labels(stage: Stage, index: int, value: float, *, version: str = "1") -> None:
    image = stage.candidates[index].image
    Measure.objects.create(image=image, scorer="label-agreement", version=version, value=value)


def test_a_measure_below_the_least_keeps_out(stage: Stage, rosa: User) -> None:
    for index in range(4):
        stage.read(rosa, index, 5)
    measure_labels(stage, 0, 0.8)
    measure_labels(stage, 1, 0.4)
    measure_labels(stage, 2, 0.9)
    measure_labels(stage, 2, 0.3, version="2")
    verdict = judge(stage, min_measures={"label-agreement": 0.5})
    (item,) = verdict.admitted
    assert item.candidate_id == stage.candidates[0].pk
    assert item.measures == {"label-agreement": {"value": 0.8, "version": "1"}}
    assert verdict.refused == {"label agreement below 0.5": 2, "no measure of label agreement": 1}


def test_the_same_rules_name_the_same_reasons_in_whatever_order_they_come(
    stage: Stage, rosa: User
) -> None:
    """The database keeps no order of a policy's rules."""
    stage.read(rosa, 0, 1)
    least = {"realism": 3.0, "fits-the-prompt": 4.0}
    forth, back = (
        judge(stage, min_mean_scores=dict(rules)).refused
        for rules in (least.items(), reversed(least.items()))
    )
    assert forth == back


def test_rules_without_measures_hash_as_they_always_have() -> None:
    assert "min_measures" not in Rules(studies=()).as_json()
    assert Rules(studies=(), min_measures={"label-agreement": 0.5}).as_json()["min_measures"]

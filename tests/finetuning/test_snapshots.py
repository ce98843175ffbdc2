"""Snapshots: which pairs there are, and that they are frozen."""

import json
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction
from pydantic import TypeAdapter

from feedback_app.accounts.models import User
from feedback_app.finetuning.models import Snapshot
from feedback_app.finetuning.services import count_new_pairs, take_snapshot
from feedback_app.finetuning.services.pairs import find_pairs
from feedback_app.rehearsal.simulation import simulated_readers
from feedback_app.studies.models import Slot, Study
from generation.errors import RemediableError
from generation.specs import Preference
from tests.finetuning.read_studies import Read

MakeStudy = Callable[..., Study]


def slots_of(study: Study, reader: User) -> list[Slot]:
    return list(Slot.objects.filter(study=study, reader=reader).order_by("case__position"))


def test_a_case_of_four_with_four_scores_gives_six_pairs(
    make_study: MakeStudy, read: Read, rosa: User
) -> None:
    read(slots_of(make_study(rosa), rosa)[0], [5, 4, 2, 0])
    pairs = find_pairs(simulated=False)
    assert len(pairs) == 6
    assert {(pair.winner.score, pair.loser.score) for pair in pairs} == {
        (5, 4), (5, 2), (5, 0), (4, 2), (4, 0), (2, 0),
    }  # fmt: skip


def test_ties_give_no_pair(make_study: MakeStudy, read: Read, rosa: User) -> None:
    read(slots_of(make_study(rosa), rosa)[0], [3, 3, 3, 1])
    assert len(find_pairs(simulated=False)) == 3


def test_pairs_never_cross_readers_or_cases(
    make_study: MakeStudy, read: Read, rosa: User, ravi: User
) -> None:
    study = make_study(rosa, ravi)
    read(slots_of(study, rosa)[0], [5, 5, 5, 5])
    read(slots_of(study, rosa)[1], [1, 1, 1, 1])
    read(slots_of(study, ravi)[0], [2, 2, 2, 2])
    assert find_pairs(simulated=False) == []


def test_only_the_last_revision_counts(make_study: MakeStudy, read: Read, rosa: User) -> None:
    slot = slots_of(make_study(rosa), rosa)[0]
    read(slot, [5, 0, 0, 0])
    last = read(slot, [0, 5, 0, 0])
    pairs = find_pairs(simulated=False)
    assert {pair.winner.reading_id for pair in pairs} == {last.pk}
    assert len({pair.winner.image_id for pair in pairs}) == 1


def test_people_and_simulated_readers_are_never_mixed(
    make_study: MakeStudy, read: Read, rosa: User
) -> None:
    robot = simulated_readers(1)[0]
    read(slots_of(make_study(rosa), rosa)[0], [5, 0, 0, 0])
    read(slots_of(make_study(robot, name="Simulated"), robot)[0], [5, 4, 0, 0])
    people = take_snapshot(name="People", simulated=False)
    simulated = take_snapshot(name="Simulated", simulated=True)
    assert people.pairs.count() == 3
    assert not people.pairs.filter(reading__is_simulated=True).exists()
    assert simulated.is_simulated
    assert simulated.pairs.count() == 5
    assert not simulated.pairs.filter(reading__is_simulated=False).exists()


def test_the_same_readings_give_the_same_hash_and_more_give_another(
    make_study: MakeStudy, read: Read, rosa: User
) -> None:
    slots = slots_of(make_study(rosa), rosa)
    read(slots[0], [5, 4, 2, 0])
    first = take_snapshot(name="One", simulated=False)
    assert take_snapshot(name="Two", simulated=False).sha256 == first.sha256
    read(slots[1], [5, 4, 2, 0])
    assert take_snapshot(name="Three", simulated=False).sha256 != first.sha256


def test_its_file_holds_preferences_by_content_hash(
    make_study: MakeStudy, read: Read, rosa: User
) -> None:
    slot = slots_of(make_study(rosa), rosa)[0]
    read(slot, [5, 4, 4, 4])
    snapshot = take_snapshot(name="One", simulated=False)
    lines = [json.loads(line) for line in snapshot.blob.read().splitlines()]
    assert ["winner" in line for line in lines] == [True] * 3 + [False] * 4
    assert lines[3].keys() == {"image", "prompt", "scores", "reliability"}
    preference = TypeAdapter(Preference).validate_python(lines[0])
    best = slot.case.case_images.get(position=0).image
    assert preference.winner == best.blob_id
    assert preference.prompt == "edema"
    assert (preference.winner_score, preference.loser_score) == (5, 4)


def test_only_the_chosen_studies_are_drawn_from(
    make_study: MakeStudy, read: Read, rosa: User
) -> None:
    one, other = make_study(rosa, name="One"), make_study(rosa, name="Other")
    read(slots_of(one, rosa)[0], [5, 4, 2, 0])
    read(slots_of(other, rosa)[0], [5, 0, 0, 0])
    assert take_snapshot(name="S", studies=[other], simulated=False).pairs.count() == 3


def test_nothing_to_learn_from_is_an_error_that_says_what_to_do(rosa: User) -> None:
    with pytest.raises(RemediableError, match="nothing to learn from yet") as caught:
        take_snapshot(name="Empty", simulated=False)
    assert "score images" in caught.value.remedy
    assert not Snapshot.objects.exists()


def test_new_pairs_are_those_of_readings_that_the_snapshot_has_not(
    make_study: MakeStudy, read: Read, rosa: User
) -> None:
    slots = slots_of(make_study(rosa), rosa)
    read(slots[0], [5, 4, 2, 0])
    assert count_new_pairs(simulated=False, since=None) == 6
    snapshot = take_snapshot(name="One", simulated=False)
    assert count_new_pairs(simulated=False, since=snapshot) == 0
    read(slots[1], [5, 0, 0, 0])
    assert count_new_pairs(simulated=False, since=snapshot) == 3


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE finetuning_snapshot SET name = 'Two'",
        "DELETE FROM finetuning_snapshot",
        "UPDATE finetuning_pair SET winner_score = 5",
        "DELETE FROM finetuning_pair",
        "UPDATE finetuning_ratedimage SET is_accepted = true",
        "DELETE FROM finetuning_ratedimage",
    ],
)
def test_the_database_refuses_to_change_or_remove_it(
    make_study: MakeStudy, read: Read, rosa: User, statement: str
) -> None:
    read(slots_of(make_study(rosa), rosa)[0], [5, 4, 2, 0])
    take_snapshot(name="One", simulated=False)
    with (
        connection.cursor() as cursor,
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
    ):
        cursor.execute(statement)


def test_a_reading_weighs_as_much_as_its_reader_agrees_with_the_others(
    make_study: MakeStudy, read: Read, rosa: User, ravi: User, otto: User
) -> None:
    study = make_study(rosa, ravi, otto, prompts=["a", "b", "c", "d", "e"])
    scores = {rosa: [5, 4, 2, 0], ravi: [5, 4, 2, 0], otto: [0, 2, 4, 5]}
    for reader, given in scores.items():
        for slot in slots_of(study, reader):
            read(slot, given)
    snapshot = take_snapshot(name="One", simulated=False)
    lines = [json.loads(line) for line in snapshot.blob.read().splitlines()]
    weights = [line["reliability"] for line in lines if "scores" in line]
    assert sorted(weights) == [0.0] * 20 + [1.0] * 40
    pairs = [(line["winner_score"], line["reliability"]) for line in lines if "winner" in line]
    assert pairs.count((5, 1.0)) == 2 * pairs.count((5, 0.0)) > 0

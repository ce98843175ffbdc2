"""The slots of an opened study: anchors, gold, repeats, blocks, pools."""

from collections import Counter
from itertools import combinations
from typing import Any

import pytest

from feedback_app.accounts.models import AuditEvent, User
from feedback_app.studies.models import Allocation, CaseRole, Slot, Study
from feedback_app.studies.services import (
    Design,
    KnownAnswer,
    add_cases,
    design_study,
    open_study,
    pick_anchors,
    preview_study,
    set_gold,
)
from feedback_app.studies.services.assignment import concurrence
from feedback_app.studies.services.opening import REAL, facts_of
from generation.errors import RemediableError
from tests.studies.making import make_batch, make_cohort

pytestmark = pytest.mark.django_db


@pytest.fixture
def six(db: None) -> tuple[User, ...]:
    return tuple(User.objects.create_user(f"reader-{number}") for number in range(6))


def _draft(readers: tuple[User, ...], *, prompts: int = 3, each: int = 5, **changes: Any) -> Study:
    """A draft of 15 one-image cases, unless told otherwise."""
    design = Design(name="November", mode="rate", readers=readers, shuffle_seed=7, **changes)
    study = design_study(design)
    add_cases(study, [make_batch(prompts=prompts, each=each)])
    return study


def _matrix(study: Study, readers: tuple[User, ...]) -> list[list[int]]:
    """Shared cases of every two readers, as the stored slots have them."""
    number_of = {reader.pk: number for number, reader in enumerate(readers)}
    blocks: dict[object, set[int]] = {}
    for case, reader in study.slots.values_list("case", "reader"):
        blocks.setdefault(case, set()).add(number_of[reader])
    return concurrence([sorted(block) for block in blocks.values()], reader_count=len(readers))


def test_every_pair_of_six_readers_shares_one_of_fifteen_cases(six: tuple[User, ...]) -> None:
    study = open_study(_draft(six, readers_per_case=2))
    matrix = _matrix(study, six)
    assert all(matrix[one][two] == 1 for one, two in combinations(range(6), 2))


def test_anchors_are_read_by_all_and_the_rest_shared_out(six: tuple[User, ...]) -> None:
    study = _draft(six, anchor_count=3)
    preview = preview_study(study)
    open_study(study)
    anchors = study.cases.filter(role=CaseRole.ANCHOR)
    assert {case.slots.count() for case in anchors} == {6}
    assert {case.slots.count() for case in study.cases.filter(role=CaseRole.ORDINARY)} == {1}
    assert anchors.count() == 3
    matrix = _matrix(study, six)
    assert all(matrix[one][two] == 3 for one, two in combinations(range(6), 2))
    # 12 others over 6 readers, 3 anchors each: 5 readings each, 30 in all.
    assert (preview.readings, preview.least, preview.most) == (30, 5, 5)
    assert (preview.least_together, preview.most_together) == (3, 3)
    assert study.slots.count() == 30


def test_picked_anchors_stay_and_lots_are_drawn_for_the_rest(rosa: User) -> None:
    study = _draft((rosa,), anchor_count=2)
    picked = study.cases.all()[4]
    pick_anchors(study, [picked.pk])
    open_study(study)
    anchors = set(study.cases.filter(role=CaseRole.ANCHOR))
    assert picked in anchors
    assert len(anchors) == 2


def test_picking_more_anchors_than_were_planned_plans_more(rosa: User) -> None:
    study = _draft((rosa,), anchor_count=1)
    pick_anchors(study, [case.pk for case in study.cases.all()[:3]])
    study.refresh_from_db()
    assert study.anchor_count == 3
    pick_anchors(study, [])
    assert not study.cases.filter(role=CaseRole.ANCHOR).exists()


def test_more_anchors_than_cases_do_not_open(rosa: User) -> None:
    with pytest.raises(RemediableError, match="16 anchors"):
        open_study(_draft((rosa,), anchor_count=16))


def test_gold_cases_keep_their_answers_and_are_read_by_all(rosa: User, ravi: User) -> None:
    study = _draft((rosa, ravi))
    case = study.cases.all()[0]
    answer = KnownAnswer(study.criteria.all()[0], case.images.get(), least=0, most=1)
    set_gold(study, case, [answer])
    open_study(study)
    case.refresh_from_db()
    assert case.role == CaseRole.GOLD
    assert case.slots.count() == 2
    stored = case.gold_answers.get()
    assert (stored.criterion.slug, stored.least, stored.most) == ("realism", 0, 1)


def test_gold_answers_taken_back_leave_an_ordinary_case(rosa: User) -> None:
    study = _draft((rosa,))
    case = study.cases.all()[0]
    set_gold(study, case, [KnownAnswer(study.criteria.all()[0], case.images.get(), 4, 5)])
    assert set_gold(study, case, []).role == CaseRole.ORDINARY
    assert not case.gold_answers.exists()


@pytest.mark.parametrize(("least", "most"), [(3, 2), (0, 6), (None, 3)])
def test_an_impossible_gold_range_is_refused(
    rosa: User, least: int | None, most: int | None
) -> None:
    study = _draft((rosa,))
    case = study.cases.all()[0]
    with pytest.raises(RemediableError, match="has no answer from"):
        set_gold(
            study, case, [KnownAnswer(study.criteria.all()[0], case.images.get(), least, most)]
        )


def test_a_gold_answer_about_another_cases_image_is_refused(rosa: User) -> None:
    study = _draft((rosa,))
    one, two = study.cases.all()[:2]
    with pytest.raises(RemediableError, match="another case's image"):
        set_gold(study, one, [KnownAnswer(study.criteria.all()[0], two.images.get(), 0, 1)])


def test_a_better_image_is_the_gold_answer_of_a_comparison(rosa: User) -> None:
    study = design_study(Design(name="Duel", mode="compare", readers=(rosa,)))
    add_cases(study, [make_batch(prompts=1, each=2)])
    case = study.cases.get()
    better = case.case_images.all()[1].image
    set_gold(study, case, [KnownAnswer(study.criteria.all()[0], better)])
    assert case.gold_answers.get().image == better
    with pytest.raises(RemediableError, match="has no scores"):
        set_gold(study, case, [KnownAnswer(study.criteria.all()[0], better, 1, 2)])


@pytest.mark.parametrize("seed", range(5))
def test_a_fifth_of_the_cases_comes_again_after_the_gap_in_another_order(
    rosa: User, seed: int
) -> None:
    design = Design(
        name="November", readers=(rosa,), repeat_percent=20, repeat_min_gap=6, shuffle_seed=seed
    )
    study = design_study(design)
    add_cases(study, [make_batch(prompts=10, each=4)])
    open_study(study)
    slots = list(study.slots.order_by("position"))
    assert [slot.position for slot in slots] == list(range(12))
    again = [slot for slot in slots if slot.repetition == 1]
    assert len(again) == 2
    for slot in again:
        first = next(s for s in slots if s.case_id == slot.case_id and s.repetition == 0)
        assert slot.position - first.position >= 6
        assert slot.image_order != first.image_order
        assert sorted(slot.image_order) == [0, 1, 2, 3]


def test_a_gap_that_cannot_be_held_does_not_open_and_says_what_to_do(rosa: User) -> None:
    study = _draft((rosa,), repeat_percent=10, repeat_min_gap=16)
    assert any("a gap of at most 15" in lack for lack in preview_study(study).lacks)
    with pytest.raises(RemediableError, match="16 cases later"):
        open_study(study)
    assert not study.slots.exists()


def test_every_block_is_a_like_mixture_of_model_versions(rosa: User) -> None:
    study = design_study(Design(name="November", mode="rate", readers=(rosa,), block_size=4))
    for model in ("parent", "child"):
        add_cases(study, [make_batch(prompts=2, each=4, name=model, model=model)])
    open_study(study)
    stratum_of = {fact.pk: fact.stratum for fact in facts_of(study)}
    order = [stratum_of[slot.case_id] for slot in study.slots.order_by("position")]
    for first in range(0, 16, 4):
        assert sorted(Counter(order[first : first + 4]).values()) == [2, 2]


def test_readers_get_as_many_real_images_as_each_other(six: tuple[User, ...]) -> None:
    design = Design(
        name="Which",
        mode="real_or_synthetic",
        readers=six,
        readers_per_case=2,
        real_cohort=make_cohort(test=15),
    )
    study = design_study(design)
    add_cases(study, [make_batch(prompts=3, each=5)])
    open_study(study)
    real = {fact.pk for fact in facts_of(study) if fact.stratum == REAL}
    assert len(real) == 15
    counts = [
        sum(slot.case_id in real for slot in study.slots.filter(reader=reader)) for reader in six
    ]
    assert counts == [5] * 6


def test_a_pool_has_a_seat_for_every_reading_and_no_reader_yet(six: tuple[User, ...]) -> None:
    study = open_study(
        _draft(six, allocation=Allocation.POOL, readers_per_case=2, anchor_count=2, block_size=5)
    )
    assert not study.slots.filter(reader__isnull=False).exists()
    for case in study.cases.all():
        seats = list(case.slots.order_by("seat").values_list("seat", flat=True))
        assert seats == list(range(6 if case.role == CaseRole.ANCHOR else 2))
    positions = sorted(study.slots.values_list("position", flat=True))
    assert positions == list(range(13 * 2 + 2 * 6))
    assert preview_study(study).readings == 13 * 2 + 2 * 6


def test_the_seats_of_a_pools_case_lie_far_apart(six: tuple[User, ...]) -> None:
    study = open_study(_draft(six, allocation=Allocation.POOL, readers_per_case=2))
    first = study.slots.filter(seat=0).values_list("position", flat=True)
    second = study.slots.filter(seat=1).values_list("position", flat=True)
    assert max(first) < min(second)


def test_in_a_pool_of_comparisons_neighbouring_seats_see_opposite_sides(
    rosa: User, ravi: User
) -> None:
    design = Design(
        name="Duel",
        mode="compare",
        readers=(rosa, ravi),
        readers_per_case=2,
        allocation=Allocation.POOL,
    )
    study = design_study(design)
    add_cases(study, [make_batch(prompts=3, each=4)])
    open_study(study)
    for case in study.cases.all():
        one, two = case.slots.order_by("seat")
        assert one.image_order == two.image_order[::-1]


def test_all_of_a_pool_follows_from_the_seed(six: tuple[User, ...]) -> None:
    batch = make_batch(prompts=3, each=5)
    orders = []
    for name, seed in (("one", 1), ("two", 1), ("three", 2)):
        study = design_study(
            Design(name=name, readers=six, allocation=Allocation.POOL, shuffle_seed=seed)
        )
        add_cases(study, [batch])
        open_study(study)
        slots = Slot.objects.filter(study=study).order_by("position")
        orders.append([(slot.case.position, tuple(slot.image_order)) for slot in slots])
    assert orders[0] == orders[1] != orders[2]


def test_opening_is_written_into_the_audit_log(rosa: User, cora: User) -> None:
    study = open_study(_draft((rosa,)), actor=cora)
    event = AuditEvent.objects.get(action="study.opened")
    assert (event.actor, event.target, event.target_id) == (cora, "November", str(study.pk))
    assert event.details == {"cases": 15, "readers": 1, "slots": 15}

"""Changing a study in its course: states, more readers, more candidates, unblinding."""

from collections.abc import Callable

import pytest

from feedback_app.accounts.models import AuditEvent, User
from feedback_app.studies import services
from feedback_app.studies.models import Allocation, CaseRole, Slot, Study, StudyState
from feedback_app.studies.services import Design, add_batches, add_cases, add_readers
from generation.errors import RemediableError
from tests.studies.making import make_batch, make_cohort, make_study

pytestmark = pytest.mark.django_db


def _open(readers: list[User], *, prompts: int = 4, each: int = 5, **changes: object) -> Study:
    """An open study of 20 one-image cases, unless told otherwise."""
    design = Design(name="November", readers=tuple(readers), shuffle_seed=7, **changes)  # type: ignore[arg-type]
    study = services.design_study(design)
    add_cases(study, [make_batch(prompts=prompts, each=each)])
    return services.open_study(study)


def _order(study: Study, reader: User) -> list[tuple[object, ...]]:
    slots = study.slots.filter(reader=reader).order_by("position")
    return [(slot.pk, slot.position, slot.case_id, tuple(slot.image_order)) for slot in slots]


def test_a_study_is_paused_and_resumed_closed_and_reopened(rosa: User, cora: User) -> None:
    study = make_study(rosa)
    for change, state, action in (
        (services.pause_study, StudyState.PAUSED, "study.paused"),
        (services.resume_study, StudyState.OPEN, "study.reopened"),
        (services.pause_study, StudyState.PAUSED, "study.paused"),
        (services.close_study, StudyState.CLOSED, "study.closed"),
        (services.reopen_study, StudyState.OPEN, "study.reopened"),
    ):
        assert change(study, actor=cora).state == state
        newest = AuditEvent.objects.first()
        assert newest is not None
        assert (newest.action, newest.actor) == (action, cora)


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        (services.pause_study, "Only an open study is paused."),
        (services.resume_study, "Only a paused study is resumed."),
        (services.close_study, "Only an open study is closed."),
        (services.reopen_study, "Only a closed study is reopened."),
    ],
)
def test_a_draft_is_in_none_of_the_states_that_can_be_left(
    change: Callable[[Study], Study], remedy: str
) -> None:
    study = services.create_study(name="November")
    with pytest.raises(RemediableError) as refused:
        change(study)
    assert refused.value.remedy == remedy
    assert not AuditEvent.objects.exclude(action="study.created").exists()


def test_a_draft_is_deleted_and_an_opened_study_is_not(rosa: User, cora: User) -> None:
    services.delete_draft(services.create_study(name="Draft"), actor=cora)
    assert not Study.objects.exists()
    assert AuditEvent.objects.get(action="study.deleted").target == "Draft"
    with pytest.raises(RemediableError, match="is open"):
        services.delete_draft(make_study(rosa), actor=cora)


def test_a_closed_study_is_unblinded_once_and_for_all(rosa: User, cora: User) -> None:
    study = services.close_study(make_study(rosa))
    study = services.unblind_study(study, actor=cora)
    assert study.unblinded_by == cora
    assert study.is_unblinded
    event = AuditEvent.objects.get(action="study.unblinded")
    assert (event.actor, event.details) == (cora, {"state": "closed"})
    with pytest.raises(RemediableError, match="unblinded already"):
        services.unblind_study(study, actor=cora)


def test_an_open_study_is_unblinded_only_where_that_is_confirmed(rosa: User, cora: User) -> None:
    study = make_study(rosa)
    with pytest.raises(RemediableError, match="still open"):
        services.unblind_study(study, actor=cora)
    assert services.unblind_study(study, actor=cora, is_confirmed=True).is_unblinded


def test_a_draft_has_nothing_to_unblind(cora: User) -> None:
    study = services.create_study(name="November")
    with pytest.raises(RemediableError, match="is a draft"):
        services.unblind_study(study, actor=cora, is_confirmed=True)


def test_a_new_reader_shares_anchors_and_cases_with_everybody_and_nobodys_order_changes(
    rosa: User, ravi: User, otto: User, cora: User
) -> None:
    study = _open([rosa, ravi], mode="rate", anchor_count=4)
    before = [_order(study, reader) for reader in (rosa, ravi)]
    assert add_readers(study, [otto, rosa], actor=cora) == [otto]
    assert [_order(study, reader) for reader in (rosa, ravi)] == before
    own = set(study.slots.filter(reader=otto).values_list("case", flat=True))
    anchors = set(study.cases.filter(role=CaseRole.ANCHOR).values_list("pk", flat=True))
    # 4 anchors and 16 others; the others were read by 8 each, so by 8 of the newcomer's.
    assert anchors < own
    assert len(own) == 12
    for reader in (rosa, ravi):
        theirs = set(study.slots.filter(reader=reader).values_list("case", flat=True))
        assert len(own & theirs) == 8
    assert otto in study.readers.all()
    event = AuditEvent.objects.get(action="study.readers_added")
    assert event.details == {"readers": ["otto"]}


def test_two_new_readers_share_cases_with_each_other(rosa: User, ravi: User, otto: User) -> None:
    study = _open([rosa], mode="rate")
    add_readers(study, [ravi, otto])
    cases = [
        set(study.slots.filter(reader=reader).values_list("case", flat=True))
        for reader in (ravi, otto)
    ]
    assert len(cases[0] & cases[1]) == 20


def test_a_new_reader_of_a_pool_finds_a_seat_at_every_anchor(rosa: User, otto: User) -> None:
    study = _open([rosa], mode="rate", anchor_count=2, allocation=Allocation.POOL)
    add_readers(study, [otto])
    for case in study.cases.filter(role=CaseRole.ANCHOR):
        assert list(case.slots.order_by("seat").values_list("seat", flat=True)) == [0, 1]
    positions = study.slots.values_list("position", flat=True)
    assert len(set(positions)) == len(positions) == 22


def test_only_new_readers_who_are_like_the_others_join(rosa: User, ravi: User) -> None:
    study = _open([rosa], mode="rate")
    robot = User.objects.create_user("robot", is_simulated=True)
    for readers, words in (([rosa], "Nobody new"), ([robot], "simulated")):
        with pytest.raises(RemediableError, match=words):
            add_readers(study, readers)
    ravi.is_active = False
    ravi.save()
    with pytest.raises(RemediableError, match="cannot log in"):
        add_readers(study, [ravi])


def test_new_candidates_come_after_all_that_readers_have(
    rosa: User, ravi: User, cora: User
) -> None:
    study = _open([rosa, ravi], mode="rate", repeat_percent=20, repeat_min_gap=3)
    before = [_order(study, reader) for reader in (rosa, ravi)]
    more = make_batch(prompts=2, each=4, name="more", seed=1)
    added = add_batches(study, [more], actor=cora)
    assert added.cases == 8
    for reader, stored in zip((rosa, ravi), before, strict=True):
        now = _order(study, reader)
        assert now[: len(stored)] == stored
        assert [position for _, position, _, _ in now] == list(range(len(now)))
        # 20 % of 10 cases were 2, of 14 they are 3: four new cases, and one of them again.
        assert len(now) == len(stored) + 5
        again = study.slots.get(reader=reader, position__gte=len(stored), repetition=1)
        assert again.case.position >= 20
    assert AuditEvent.objects.get(action="study.cases_added").details["cases"] == 8
    assert add_batches(study, [more]).already_in == 8


def test_too_few_new_cases_for_the_gap_are_repeated_by_earlier_ones(rosa: User) -> None:
    """However the candidates come in, the design's share of all cases comes twice."""
    study = _open([rosa], mode="rate", repeat_percent=20, repeat_min_gap=10)
    for number in range(4):
        more = make_batch(prompts=1, each=5, name=f"more {number}", seed=100 * number)
        assert add_batches(study, [more]).warnings == []
    slots = list(study.slots.order_by("position"))
    assert [slot.position for slot in slots] == list(range(48))  # 40 cases, a fifth of them twice
    first_of = {slot.case_id: slot for slot in slots if not slot.repetition}
    again = [slot for slot in slots if slot.repetition]
    assert len({slot.case_id for slot in again}) == len(again) == 8
    assert all(slot.position - first_of[slot.case_id].position >= 10 for slot in again)


def test_a_repeat_that_finds_no_place_is_told(rosa: User) -> None:
    study = _open([rosa], mode="rate", repeat_percent=100, repeat_min_gap=20)
    added = add_batches(study, [make_batch(prompts=1, each=5, name="more", seed=1)])
    assert added.warnings == ["5 hidden repeats short: no case lies far enough back."]


def test_new_candidates_of_a_pool_get_seats_behind_all_others(rosa: User, ravi: User) -> None:
    study = _open([rosa, ravi], mode="rate", readers_per_case=2, allocation=Allocation.POOL)
    add_batches(study, [make_batch(prompts=1, each=4, name="more", seed=1)])
    new = Slot.objects.filter(study=study, position__gte=40)
    assert list(new.order_by("seat").values_list("seat", flat=True)) == [0] * 4 + [1] * 4
    assert new.count() == 8


def test_a_study_in_phases_takes_no_more_cases(rosa: User) -> None:
    study = _open(
        [rosa],
        mode="real_or_synthetic",
        real_cohort=make_cohort(test=9),
        has_phases=True,
        each=2,
    )
    with pytest.raises(RemediableError, match="two phases"):
        add_batches(study, [make_batch(name="more", seed=1)])


def test_a_closed_study_takes_neither_readers_nor_candidates(rosa: User, ravi: User) -> None:
    study = services.close_study(make_study(rosa))
    with pytest.raises(RemediableError, match="is closed"):
        add_readers(study, [ravi])
    with pytest.raises(RemediableError, match="is closed"):
        add_batches(study, [make_batch(name="more", seed=1)])


def test_the_audit_log_says_what_a_rewritten_draft_had_before(rosa: User, cora: User) -> None:
    study = services.design_study(Design(name="Before", mode="rate", readers=(rosa,)))
    after = Design(name="After", mode="rate", readers=(rosa,), repeat_percent=10)
    services.redesign_study(study, after, actor=cora)
    event = AuditEvent.objects.get(action="study.changed")
    assert event.actor == cora
    assert event.details == {"name": ["Before", "After"], "repeat_percent": ["0", "10"]}

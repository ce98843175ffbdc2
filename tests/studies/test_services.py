"""Designing, filling, opening and closing studies."""

import pytest
from django.db import IntegrityError
from pytest_django import DjangoAssertNumQueries

from feedback_app.accounts.models import User
from feedback_app.studies.models import Slot, Study, StudyState, questions_of
from feedback_app.studies.scales import DEFAULT_FLAGS, REALISM, Scale
from feedback_app.studies.services import (
    Design,
    add_cases_from_batch,
    close_study,
    create_study,
    open_study,
    preview_design,
    redesign_study,
)
from generation.errors import RemediableError
from tests.studies.making import make_batch, make_study

pytestmark = pytest.mark.django_db


def test_a_new_study_asks_for_realism_and_fit_and_knows_the_usual_flags() -> None:
    study = create_study(name="November")
    assert [criterion.slug for criterion in study.criteria.all()] == ["realism", "fits-the-prompt"]
    assert all(len(criterion.anchors) == 6 for criterion in study.criteria.all())
    assert study.flag_kinds.count() == len(DEFAULT_FLAGS)


def test_a_draft_is_asked_anew_what_it_asks_and_an_open_study_once(
    rosa: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    study = create_study(name="November", readers=[rosa])
    add_cases_from_batch(study, make_batch())
    assert len(questions_of(study).criteria) == 2
    study.criteria.filter(slug="fits-the-prompt").delete()
    assert [criterion.slug for criterion in questions_of(study).criteria] == ["realism"]
    study = open_study(study)
    asked = questions_of(study)
    assert [criterion.slug for criterion in asked.criteria] == ["realism"]
    with django_assert_num_queries(0):
        assert questions_of(study) is asked


def test_two_criteria_of_one_short_name_are_refused() -> None:
    with pytest.raises(RemediableError, match="realism"):
        create_study(name="November", scales=[REALISM, REALISM])
    assert not Study.objects.exists()


def test_a_name_in_another_script_only_is_refused_since_its_short_name_is_empty() -> None:
    nameless = Scale(name="リアル", question="?", anchors=REALISM.anchors)
    with pytest.raises(RemediableError, match="short name"):
        create_study(name="November", scales=[nameless])


def test_rating_one_makes_a_case_of_every_image() -> None:
    study = create_study(name="November", mode="rate")
    added = add_cases_from_batch(study, make_batch(prompts=2, each=3))
    assert (added.cases, added.images) == (6, 6)
    assert {case.images.count() for case in study.cases.all()} == {1}


def test_rating_four_groups_candidates_of_one_prompt() -> None:
    study = create_study(name="November")
    added = add_cases_from_batch(study, make_batch(prompts=2, each=8))
    assert (added.cases, added.images) == (4, 16)
    for case in study.cases.all():
        prompts = {image.candidate.recipe.prompt for image in case.images.all()}
        assert prompts == {case.prompt}


def test_a_small_last_group_is_kept_and_a_single_image_left_out_and_said() -> None:
    study = create_study(name="November")
    added = add_cases_from_batch(study, make_batch(prompts=1, each=6))
    assert sorted(case.images.count() for case in study.cases.all()) == [2, 4]
    other = create_study(name="December")
    added = add_cases_from_batch(other, make_batch(prompts=1, each=5, name="five", seed=1))
    assert (added.cases, added.left_alone) == (1, 1)
    assert added.warnings == ["1 left out: alone, with none to compare with."]


def test_candidates_that_are_not_made_yet_are_left_out_and_said() -> None:
    study = create_study(name="November", mode="rate")
    added = add_cases_from_batch(study, make_batch(prompts=1, each=4, unmade=[1, 2]))
    assert (added.cases, added.not_made_yet) == (2, 2)


def test_adding_a_batch_twice_adds_nothing_new() -> None:
    study, batch = create_study(name="November"), make_batch()
    add_cases_from_batch(study, batch)
    again = add_cases_from_batch(study, batch)
    assert (again.cases, again.already_in) == (0, 8)
    assert study.cases.count() == 2


def test_the_preview_counts_what_opening_will_give(rosa: User, ravi: User, otto: User) -> None:
    first, second = make_batch(), make_batch(name="second", each=5, seed=5)
    design = Design(name="November", readers=(rosa, ravi, otto), readers_per_case=2)
    preview = preview_design(design, [first, first, second])
    assert (preview.added.cases, preview.added.already_in, preview.added.left_alone) == (4, 8, 2)
    assert (preview.readings, preview.least, preview.most) == (8, 2, 3)


def test_opening_gives_every_reader_each_case_once(rosa: User, ravi: User) -> None:
    study = make_study(rosa, ravi, prompts=3)
    assert study.state == StudyState.OPEN
    for reader in (rosa, ravi):
        own = Slot.objects.filter(study=study, reader=reader)
        assert own.count() == 3
        assert {slot.case_id for slot in own} == {case.pk for case in study.cases.all()}
        assert sorted(slot.position for slot in own) == [0, 1, 2]
        assert all(sorted(slot.image_order) == [0, 1, 2, 3] for slot in own)


def test_the_order_follows_from_the_stored_seed(rosa: User, ravi: User) -> None:
    batch = make_batch(prompts=6)
    orders = []
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        study = create_study(name=name, readers=[rosa, ravi], readers_per_case=2, shuffle_seed=seed)
        add_cases_from_batch(study, batch)
        open_study(study)
        slots = study.slots.order_by("reader", "position").select_related("case")
        orders.append([(slot.case.position, tuple(slot.image_order)) for slot in slots])
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]
    assert [case for case, _ in orders[0][:6]] != [case for case, _ in orders[0][6:]]


def test_a_study_without_cases_questions_or_readers_does_not_open(rosa: User) -> None:
    empty = create_study(name="No cases", readers=[rosa])
    with pytest.raises(RemediableError, match="no cases"):
        open_study(empty)
    silent = create_study(name="No questions", readers=[rosa], scales=[])
    add_cases_from_batch(silent, make_batch())
    with pytest.raises(RemediableError, match="asks nothing"):
        open_study(silent)
    lonely = create_study(name="No readers")
    add_cases_from_batch(lonely, make_batch(name="second", seed=5))
    with pytest.raises(RemediableError, match="no readers"):
        open_study(lonely)


def test_more_readers_a_case_than_there_are_does_not_open(rosa: User) -> None:
    study = create_study(name="November", readers=[rosa], readers_per_case=2)
    add_cases_from_batch(study, make_batch())
    with pytest.raises(RemediableError, match="2 readers a case"):
        open_study(study)
    assert not study.slots.exists()


def test_people_and_simulated_readers_are_never_mixed(rosa: User) -> None:
    robot = User.objects.create_user("robot", is_simulated=True)
    study = create_study(name="November", readers=[rosa, robot])
    add_cases_from_batch(study, make_batch())
    with pytest.raises(RemediableError, match="simulated"):
        open_study(study)


def test_a_study_opens_once_and_its_design_is_fixed_then(rosa: User) -> None:
    study = make_study(rosa)
    with pytest.raises(RemediableError, match="is open"):
        open_study(study)
    with pytest.raises(RemediableError, match="is open"):
        add_cases_from_batch(study, make_batch(name="second", seed=5))
    with pytest.raises(RemediableError, match="is open"):
        redesign_study(study, Design(name="Other"))


def test_a_draft_can_be_redesigned(rosa: User) -> None:
    study = create_study(name="November", readers=[rosa])
    add_cases_from_batch(study, make_batch())
    design = Design(
        name="December",
        mode="rate",
        readers_per_case=2,
        instructions="Look twice.",
        scales=(REALISM,),
        flags=("Clavicles",),
    )
    redesign_study(study, design)
    study.refresh_from_db()
    assert (study.name, study.mode, study.readers_per_case) == ("December", "rate", 2)
    assert (study.cases.count(), study.criteria.count(), study.readers.count()) == (0, 1, 0)


def test_only_an_open_study_is_closed(rosa: User) -> None:
    study = make_study(rosa)
    assert close_study(study).state == StudyState.CLOSED
    with pytest.raises(RemediableError, match="is closed"):
        close_study(study)


def test_a_reader_has_one_slot_a_case_and_position(rosa: User) -> None:
    slot = make_study(rosa).slots.first()
    assert slot is not None
    with pytest.raises(IntegrityError):
        Slot.objects.create(
            study=slot.study, case=slot.case, reader=rosa, position=99, image_order=[0]
        )

"""What each mode makes of batches and cohorts."""

import pytest

from feedback_app.accounts.models import User
from feedback_app.images.models import ModelVersion
from feedback_app.studies.models import CriterionKind, Phase, Study
from feedback_app.studies.modes.real_or_synthetic import REAL_OR_SYNTHETIC
from feedback_app.studies.planning import draw_real, wanted_real
from feedback_app.studies.services import (
    Design,
    add_cases,
    create_study,
    design_study,
    open_study,
    preview_study,
)
from generation.errors import RemediableError
from tests.studies.making import SIDE, make_batch, make_cohort, make_mask

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("size", "cases"), [(2, [2, 2, 2]), (3, [3, 3]), (5, [5]), (6, [6])])
def test_rating_several_shows_two_to_six_of_one_prompt(size: int, cases: list[int]) -> None:
    study = design_study(Design(name="November", images_per_case=size))
    add_cases(study, [make_batch(prompts=1, each=6)])
    assert [case.images.count() for case in study.cases.all()] == cases


def test_comparing_one_batch_pairs_candidates_of_a_prompt() -> None:
    study = create_study(name="November", mode="compare")
    added = add_cases(study, [make_batch(prompts=2, each=3)])
    assert (added.cases, added.images, added.left_alone) == (2, 4, 2)
    for case in study.cases.all():
        prompts = {image.candidate.recipe.prompt for image in case.images.all()}
        assert prompts == {case.prompt}


def _duel(study: Study) -> list[list[tuple[str, str, int]]]:
    """For each case: model, prompt and seed of what is at its two places."""
    return [
        [
            (recipe.model_version.name, recipe.prompt, recipe.seed)
            for recipe in (
                place.image.candidate.recipe
                for place in case.case_images.select_related("image__candidate__recipe")
            )
        ]
        for case in study.cases.all()
    ]


def test_parent_and_child_meet_by_prompt_and_seed() -> None:
    parent = make_batch(prompts=2, each=2, model="parent", name="parent", seed=100)
    child = make_batch(prompts=2, each=2, model="child", name="child", seed=100)
    study = create_study(name="November", mode="compare")
    added = add_cases(study, [parent], against=child)
    assert (added.cases, added.images, added.left_alone) == (4, 8, 0)
    for one, two in _duel(study):
        assert (one[0], two[0]) == ("parent", "child")
        assert one[1:] == two[1:]


def test_where_seeds_differ_parent_and_child_meet_by_prompt_alone() -> None:
    parent = make_batch(prompts=2, each=2, model="parent", name="parent", seed=100)
    child = make_batch(prompts=2, each=3, model="child", name="child", seed=103)
    study = create_study(name="November", mode="compare")
    added = add_cases(study, [parent], against=child)
    # Prompt 0: seeds 100, 101 against 103-105; prompt 1: 102, 103 against 106-108.
    assert (added.cases, added.left_alone) == (4, 2)
    assert all(one[1] == two[1] for one, two in _duel(study))


def test_a_comparison_asks_which_is_better_without_anchors() -> None:
    study = create_study(name="November", mode="compare")
    criteria = list(study.criteria.all())
    assert [criterion.name for criterion in criteria] == ["Realism", "Fits the prompt"]
    assert {criterion.kind for criterion in criteria} == {CriterionKind.COMPARISON}
    assert all(criterion.anchors == [] for criterion in criteria)


def test_each_image_of_a_comparison_is_left_for_half_of_a_readers_cases(
    rosa: User, ravi: User
) -> None:
    study = create_study(name="November", mode="compare", readers=[rosa, ravi], readers_per_case=2)
    add_cases(study, [make_batch(prompts=4, each=4)])
    open_study(study)
    for reader in (rosa, ravi):
        left = [slot.image_order[0] for slot in study.slots.filter(reader=reader)]
        assert (left.count(0), left.count(1)) == (4, 4)


def test_six_real_images_beside_fourteen_synthetic_ones_are_thirty_percent() -> None:
    assert wanted_real(14, percent=30) == 6
    assert wanted_real(10, percent=50) == 10
    assert wanted_real(1, percent=10) == 0


def test_real_images_come_from_the_test_split_first_and_never_from_training_unasked() -> None:
    cohort = make_cohort(train=5, validation=2, test=3)
    split_of = {image.pk: image.patient.split for image in cohort.images.select_related("patient")}
    drawn = draw_real(cohort, seed=3, with_training=False)
    assert [split_of[image] for image in drawn] == ["test"] * 3 + ["validation"] * 2
    assert drawn == draw_real(cohort, seed=3, with_training=False)
    ticked = draw_real(cohort, seed=3, with_training=True)
    assert [split_of[image] for image in ticked][5:] == ["train"] * 5
    others = {tuple(draw_real(cohort, seed=seed, with_training=True)) for seed in range(9)}
    assert len(others) > 1


def _mixed(**changes: object) -> Design:
    return Design(name="Which", mode="real_or_synthetic", **changes)  # type: ignore[arg-type]


def test_real_images_are_mixed_in_at_the_wanted_share_and_nothing_tells_which() -> None:
    study = design_study(_mixed(real_cohort=make_cohort(test=9), real_percent=40))
    added = add_cases(study, [make_batch(prompts=2, each=3)])
    assert (added.cases, added.real, added.real_missing) == (10, 4, 0)
    assert {case.prompt for case in study.cases.all()} == {""}
    assert {case.images.count() for case in study.cases.all()} == {1}
    again = add_cases(study, [make_batch(prompts=1, each=3, name="more", seed=5)])
    assert (again.cases, again.real) == (5, 2)


def test_too_few_real_images_are_said() -> None:
    study = design_study(_mixed(real_cohort=make_cohort(test=2, train=9)))
    added = add_cases(study, [make_batch(prompts=1, each=4)])
    assert (added.real, added.real_missing) == (2, 2)
    assert added.warnings == ["2 real images short: the cohort has no more to use."]


def test_real_images_may_be_larger_than_the_candidates() -> None:
    study = design_study(_mixed(real_cohort=make_cohort(test=4, side=SIDE + 16)))
    added = add_cases(study, [make_batch(prompts=1, each=4)])
    assert (added.real, added.real_missing) == (4, 0)


def test_real_images_smaller_than_the_candidates_are_not_used(rosa: User) -> None:
    design = _mixed(real_cohort=make_cohort(test=4, side=SIDE - 8), readers=(rosa,))
    study = design_study(design)
    added = add_cases(study, [make_batch(prompts=1, each=4)])
    assert (added.real, added.real_missing) == (0, 4)
    assert any("No real images" in lack for lack in preview_study(study).lacks)
    with pytest.raises(RemediableError, match="None of the images is real"):
        open_study(study)


def test_the_confidence_is_asked_by_itself() -> None:
    study = design_study(_mixed())
    asked = study.criteria.get()
    assert (asked.kind, tuple(asked.anchors)) == ("confidence", REAL_OR_SYNTHETIC.anchors)


def test_the_unaware_phase_asks_for_scores_and_comes_before_the_aware_one(rosa: User) -> None:
    study = design_study(
        _mixed(real_cohort=make_cohort(test=9), has_phases=True, readers=(rosa,), block_size=4)
    )
    add_cases(study, [make_batch(prompts=1, each=4)])
    open_study(study)
    slots = list(study.slots.filter(reader=rosa).order_by("position"))
    assert [slot.phase for slot in slots] == [Phase.UNAWARE] * 8 + [Phase.AWARE] * 8
    unaware, aware = ([slot.case_id for slot in part] for part in (slots[:8], slots[8:]))
    assert set(unaware) == set(aware)
    assert unaware != aware
    assert [criterion.kind for criterion in slots[0].criteria()] == ["ordinal"]
    assert [criterion.kind for criterion in slots[8].criteria()] == ["confidence"]


def test_an_unaware_reader_is_offered_no_word_that_tells() -> None:
    study = design_study(_mixed(has_phases=True))
    words = " ".join(study.flag_kinds.values_list("name", flat=True))
    ordinal = study.criteria.get(kind="ordinal")
    words += " ".join([ordinal.name, ordinal.question, *ordinal.anchors])
    for telling in ("synthetic", "real", "copy", "garbled", "prompt", "device"):
        assert telling not in words.lower()


def test_cases_of_a_conditioning_mask_have_it_and_bring_its_flag() -> None:
    mask = make_mask(make_cohort(test=2))
    study = create_study(name="November")
    add_cases(study, [make_batch()])
    assert not study.flag_kinds.filter(name="Mask mismatch").exists()
    add_cases(study, [make_batch(name="masked", seed=9, masks=[mask])])
    masks = list(study.cases.values_list("masks__kind", "masks__blob"))
    assert masks == [(None, None)] * 2 + [("lungs", mask.blob_id)] * 2
    assert study.flag_kinds.get(name="Mask mismatch").position == 11


def test_a_case_has_every_kind_of_mask_as_it_was_followed() -> None:
    cohort = make_cohort(test=2)
    masks = [make_mask(cohort, kind=kind) for kind in ("opacity", "lungs")]
    study = create_study(name="November")
    added = add_cases(study, [make_batch(prompts=1, each=4, masks=masks)])
    assert (added.cases, added.images) == (1, 4)
    (case,) = study.cases.all()
    assert set(case.masks.values_list("kind", "blob")) == {
        (mask.kind, mask.blob_id) for mask in masks
    }
    assert not case.masks.filter(blob__in=[mask.parent.blob_id for mask in masks]).exists()


def test_candidates_of_other_masks_are_not_shown_together() -> None:
    mask = make_mask(make_cohort(test=2))
    study = create_study(name="November", mode="compare")
    masked = make_batch(prompts=1, each=1, masks=[mask])
    plain = make_batch(prompts=1, each=1, name="plain")
    added = add_cases(study, [masked], against=plain)
    assert (added.cases, added.left_alone) == (0, 2)


def test_a_coordinators_own_flags_are_left_as_they_are() -> None:
    mask = make_mask(make_cohort(test=2))
    study = create_study(name="November", flags=["Clavicles"])
    add_cases(study, [make_batch(masks=[mask])])
    assert list(study.flag_kinds.values_list("name", flat=True)) == ["Clavicles"]


def test_the_mask_of_a_synthetic_image_would_tell_it_from_real_ones() -> None:
    cohort = make_cohort(test=4)
    study = design_study(_mixed(real_cohort=cohort))
    add_cases(study, [make_batch(prompts=1, each=2, masks=[make_mask(cohort)])])
    assert not study.cases.filter(masks__isnull=False).exists()
    assert ModelVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"allocation": "pool", "repeat_percent": 10}, "Hidden repeats"),
        ({"allocation": "pool", "has_phases": True}, "Two phases"),
        ({"real_percent": 100}, "1 to 99"),
    ],
)
def test_choices_that_contradict_each_other_are_refused(
    changes: dict[str, object], words: str
) -> None:
    with pytest.raises(RemediableError, match=words):
        design_study(_mixed(**changes))
    assert not Study.objects.exists()

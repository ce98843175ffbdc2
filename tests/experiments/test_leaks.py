"""What stands behind synthetic images: leaks are refused, regimes follow from it."""

import uuid
from typing import Any

import pytest

from feedback_app.curation.models import CuratedSet
from feedback_app.experiments.services.design import Design
from feedback_app.experiments.services.experiments import create_experiment, start_experiment
from feedback_app.experiments.services.plan import Plan, plan_of
from feedback_app.images.blobs.services import store
from feedback_app.images.models import (
    Candidate,
    Cohort,
    CohortImage,
    Mask,
    ModelVersion,
    Recipe,
    RecipeMask,
    Scorer,
    SharedPicture,
)
from feedback_app.runs.models import Run, State
from generation.errors import RemediableError
from tests.experiments.making import (
    curate,
    design,
    make_batch,
    make_cohort,
    own_version,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def ward() -> Cohort:
    return make_cohort(train=8, validation=2, test=4)


def curated_of(version: ModelVersion, **options: Any) -> CuratedSet:
    return curate(make_batch(version, count=16), **options)


def refusals(made: Design) -> str:
    return " ".join(refusal.message for refusal in plan_of(made).refusals)


def regimes(plan: Plan) -> dict[int, str]:
    return {one.real_size: one.regime.value for one in plan.regimes}


def scorer(cohort: Cohort | None, *, name: str = "proxy") -> Scorer:
    return Scorer.objects.create(
        name=name, kind="classifier", location="x", sha256=uuid.uuid4().hex * 2, cohort=cohort
    )


def measures_of(one: Scorer) -> dict[str, Any]:
    return {one.measure: {"value": 0.9, "version": one.version}}


def test_a_generator_of_the_same_training_split_is_let_in(ward: Cohort) -> None:
    assert plan_of(design(ward, curated=curated_of(own_version(ward)))).can_start


def test_what_a_model_was_trained_further_from_stands_behind_it_too(ward: Cohort) -> None:
    first = own_version(make_cohort("first", train=4, validation=1, test=1), name="first")
    Run.objects.create(
        kind="continue_training",
        queue="gpu",
        title="Train further",
        spec={"name": "further", "cohort": ward.name, "upon": first.pk},
        state=State.SUCCEEDED,
        finished_at=ward.created_at,
    )
    further = ModelVersion.objects.create(
        name="further", location="/models/further", sha256="f" * 64, method="continued"
    )
    found = plan_of(design(ward, curated=curated_of(further))).sources[0].behind
    assert [(one.name, one.seen.count()) for one in found if one.seen] == [
        ("first", 5),
        ("further", 10),
    ]


def test_equal_data_needs_all_that_was_seen(ward: Cohort) -> None:
    plan = plan_of(design(ward, curated=curated_of(own_version(ward)), real_sizes=[4, 8]))
    assert regimes(plan) == {4: "extra data", 8: "equal data"}
    assert plan.regime == "equal data at 8; extra data at 4"


def test_a_generator_that_saw_test_patients_elsewhere_is_refused(ward: Cohort) -> None:
    """The same source under another name has other splits."""
    other = make_cohort("other", train=1, test=1)
    other.patients.filter(split="train").update(source_id="test-3")
    said = refusals(design(ward, curated=curated_of(own_version(other))))
    assert "the generator own has seen patients of the test split of ward" in said


def test_a_generator_that_saw_a_picture_that_cohorts_share_is_refused(ward: Cohort) -> None:
    """As it was imported twice in other bytes, and under other names."""
    other = make_cohort("other", train=1)
    SharedPicture.objects.create(
        image=CohortImage.objects.get(cohort=other),
        other=ward.images.filter(patient__split="test").earliest("pk"),
        is_known=True,
    )
    said = refusals(design(ward, curated=curated_of(own_version(other))))
    assert "the generator own has seen patients of the test split of ward" in said


def test_a_generator_that_saw_a_test_picture_is_refused(ward: Cohort) -> None:
    other = make_cohort("other", source="folder", train=1, test=1)
    copied = other.images.get(patient__split="train").image
    original = ward.images.filter(patient__split="test").earliest("source_id")
    copied.pixels_sha256 = original.image.pixels_sha256
    copied.save()
    said = refusals(design(ward, curated=curated_of(own_version(other))))
    assert original.source_id in said


def test_a_folders_patients_are_nobody_elses(ward: Cohort) -> None:
    Cohort.objects.update(source="folder")
    other = make_cohort("other", source="folder", train=1, test=1)
    other.patients.filter(split="train").update(source_id="test-3")
    assert plan_of(design(ward, curated=curated_of(own_version(other)))).can_start


def test_ancestors_are_looked_at_too(ward: Cohort) -> None:
    other = make_cohort("other", train=1, test=1)
    other.patients.filter(split="train").update(source_id="test-3")
    child = own_version(ward, name="child")
    child.parent = own_version(other)
    child.save()
    assert "the generator own has seen" in refusals(design(ward, curated=curated_of(child)))


@pytest.mark.parametrize("is_leak", [True, False])
def test_a_proxy_that_let_the_images_in_is_looked_at(ward: Cohort, is_leak: bool) -> None:
    other = make_cohort("other", train=1, test=1)
    if is_leak:
        other.patients.filter(split="train").update(source_id="test-3")
    proxy = scorer(other)
    curated = curated_of(own_version(ward), measures=measures_of(proxy))
    said = refusals(design(ward, curated=curated))
    assert ("the proxy proxy has seen patients" in said) == is_leak
    if not is_leak:
        assert set(regimes(plan_of(design(ward, curated=curated, real_sizes=[4, 8]))).values()) == {
            "extra data"
        }


def test_an_unknown_training_is_refused_until_somebody_vouches(ward: Cohort) -> None:
    hub = ModelVersion.objects.create(name="hub", location="owner/x@1", sha256="5" * 64)
    made = design(ward, curated=curated_of(hub))
    assert "what the generator hub was trained on is not recorded" in refusals(made)
    vouched = plan_of(design(ward, curated=made_again(hub), vouching="Its paper says MIMIC."))
    assert vouched.can_start
    assert vouched.regime == "extra data"


def made_again(version: ModelVersion) -> CuratedSet:
    return (
        CuratedSet.objects.filter(items__candidate__recipe__model_version=version).distinct().get()
    )


def test_a_test_image_behind_a_mask_is_refused(ward: Cohort) -> None:
    curated = curated_of(own_version(ward))
    behind(Recipe.objects.earliest("seed"), ward.images.filter(patient__split="test").first())
    said = refusals(design(ward, curated=curated))
    assert "behind its images stand pictures that are held out in ward" in said


def test_a_training_image_behind_a_mask_is_let_in(ward: Cohort) -> None:
    curated = curated_of(own_version(ward))
    behind(Recipe.objects.earliest("seed"), ward.images.filter(patient__split="train").first())
    assert plan_of(design(ward, curated=curated)).can_start


def behind(recipe: Recipe, image: CohortImage | None) -> None:
    assert image is not None
    blob = store(b"a mask", media_type="image/png")
    parent = Mask.objects.create(cohort_image=image, kind="lungs", blob=blob)
    RecipeMask.objects.create(recipe=recipe, kind="lungs", parent=parent, blob=blob)


def test_a_copy_of_a_test_image_is_refused(ward: Cohort) -> None:
    curated = curated_of(own_version(ward))
    copy = Candidate.objects.earliest("recipe").image
    original = ward.images.filter(patient__split="test").earliest("source_id")
    copy.pixels_sha256 = original.image.pixels_sha256
    copy.save()
    assert original.source_id in refusals(design(ward, curated=curated))


def test_too_few_images_for_a_ratio_are_refused_with_numbers(ward: Cohort) -> None:
    curated = curated_of(own_version(ward), first=12)
    said = refusals(
        design(
            ward,
            curated=curated,
            ratios=[1, 4],
            primary={"arm": "curated", "real_size": 4, "ratio": 1},
        )
    )
    assert "4× 8 real images are 32 synthetic ones" in said
    assert "6 of pneumonia, 16 needed" in said
    assert "6 without pneumonia, 16 needed" in said


def test_more_real_images_than_there_are_are_refused(ward: Cohort) -> None:
    said = refusals(design(ward, curated=curated_of(own_version(ward)), real_sizes=[4, 64]))
    assert "64 real images are asked for, and the training split of ward has 8" in said


def test_the_arm_of_a_fine_tuned_model_takes_its_images(ward: Cohort) -> None:
    curated = curated_of(own_version(ward))
    made = design(
        ward,
        arms=["real", "finetuned_curated"],
        sources=[{"arm": "finetuned_curated", "kind": "curated_set", "id": str(curated.pk)}],
        primary={"arm": "finetuned_curated", "real_size": 4, "ratio": 1},
    )
    assert "16 images of curated set Good ones" in refusals(made)


def test_a_refused_experiment_starts_nothing(ward: Cohort) -> None:
    hub = ModelVersion.objects.create(name="hub", location="owner/x@1", sha256="5" * 64)
    experiment = create_experiment(design(ward, curated=curated_of(hub)))
    with pytest.raises(RemediableError, match="not recorded"):
        start_experiment(experiment)
    experiment.refresh_from_db()
    assert experiment.is_draft
    assert not experiment.cells.exists()

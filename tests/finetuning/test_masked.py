"""Readings of candidates that follow masks: what they teach, with which masks, and to whom."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

import feedback_app.images.tasks  # noqa: F401 -- batches are made here
from feedback_app.accounts.models import User
from feedback_app.finetuning.forms import FineTuneForm
from feedback_app.finetuning.models import Snapshot
from feedback_app.finetuning.services import finish_finetune, start_finetune, take_snapshot
from feedback_app.finetuning.services.masked import count_left_out
from feedback_app.finetuning.services.run_folders import write_run_folder
from feedback_app.images.blobs.services import store_image
from feedback_app.images.candidates.batches import Settings, create_batch
from feedback_app.images.candidates.mask_choice import MaskChoice
from feedback_app.images.candidates.mask_plan import Condition, keep_masks, plan_masks
from feedback_app.images.models import (
    Batch,
    BatchRecipe,
    Candidate,
    ModelVersion,
    Recipe,
    RecipeMask,
)
from feedback_app.images.versions.services import register
from feedback_app.rehearsal.simulation import simulate_readings, staff_and_open
from feedback_app.runs import services as runs
from feedback_app.runs.models import State
from feedback_app.studies.models import CaseMask, Slot, Study
from feedback_app.studies.services import add_cases, create_study, open_study
from generation.commands.finetune import finetune
from generation.commands.run_folder import run_command
from generation.errors import RemediableError
from generation.specs import MaskKind, Mode
from tests.finetuning.read_studies import Read, grey_png
from tests.images.masked import make_masked_cohort
from tests.tiny_model import PROMPTS, SIDE, save_tiny_model

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("trainings_here")]

TWO_STEPS = {"steps": 2, "batch_size": 4, "rank": 2, "learning_rate": 1e-2}
KINDS: tuple[MaskKind, ...] = ("lungs", "opacity")


@pytest.fixture
def conditions(db: None) -> list[Condition]:
    """Lungs and opacities of two images."""
    choice = MaskChoice(cohort=make_masked_cohort(train=2), kinds=KINDS, number=2)
    return keep_masks(plan_masks(choice, side=SIDE))


@pytest.fixture
def follower(base: ModelVersion) -> ModelVersion:
    """Said to follow masks."""
    base.follows_masks = True
    base.save()
    return base


def made(version: ModelVersion, mode: Mode, conditions: list[Condition]) -> Batch:
    """A batch of this mode whose candidates are noise."""
    batch = create_batch(
        mode,
        model_version=version,
        prompts=() if mode == "m2i" else PROMPTS[:1],
        images_per_prompt=2,
        mode=mode,
        conditions=() if mode == "t2i" else conditions,
        settings=Settings(side=SIDE),
    )
    for number, recipe in enumerate(batch.recipes.all(), start=Candidate.objects.count()):
        image = store_image(grey_png(number), name="test")
        Candidate.objects.create(image=image, recipe=recipe)
    return batch


def study_of(batches: list[Batch], reader: User) -> Study:
    name = f"Study {Study.objects.count()}"
    study = create_study(name=name, readers=[reader], readers_per_case=1)
    add_cases(study, batches)
    return open_study(study)


@pytest.fixture
def snapshot_of(rosa: User, read: Read) -> Callable[..., Snapshot]:
    def of(*batches: Batch) -> Snapshot:
        for slot in Slot.objects.filter(study=study_of(list(batches), rosa)):
            read(slot, [5, 1])
        return take_snapshot(name="Monday", simulated=False)

    return of


def lines_of(snapshot: Snapshot) -> list[dict[str, Any]]:
    return [json.loads(line) for line in snapshot.blob.read().splitlines()]


def test_a_snapshot_names_the_masks_of_each_line(
    follower: ModelVersion, conditions: list[Condition], snapshot_of: Callable[..., Snapshot]
) -> None:
    batches = [made(follower, mode, conditions) for mode in ("t2i", "m2i", "tm2i")]
    lines = lines_of(snapshot_of(*batches))
    expected = [{mask.kind: mask.blob.sha256 for mask in masks} for masks in conditions]
    text, both = ([one for one in lines if ("prompt" in one) is told] for told in (True, False))
    masked = [line for line in text if "masks" in line]
    assert len(text) - len(masked) == 3  # a pair and two ratings
    for some in (masked, both):
        assert len(some) == 6
        assert all(sum(line["masks"] == one for line in some) == 3 for one in expected)
    assert all(list(line["masks"]) == sorted(line["masks"]) for line in (*masked, *both))


def test_images_that_follow_different_masks_give_no_pair(
    follower: ModelVersion, conditions: list[Condition], rosa: User, read: Read
) -> None:
    study = study_of([made(follower, "tm2i", conditions[:1])], rosa)
    (slot,) = Slot.objects.filter(study=study)
    place = slot.case.case_images.first()
    assert place is not None
    RecipeMask.objects.get(recipe__candidate=place.image_id, kind="opacity").delete()
    read(slot, [5, 1])
    snapshot = take_snapshot(name="Monday", simulated=False)
    assert not snapshot.pairs.exists()
    assert sorted(len(line["masks"]) for line in lines_of(snapshot)) == [1, 2]


def test_a_case_that_shows_no_mask_teaches_without_it(
    follower: ModelVersion, conditions: list[Condition], rosa: User, read: Read
) -> None:
    study = study_of([made(follower, "tm2i", conditions[:1])], rosa)
    CaseMask.objects.all().delete()
    (slot,) = Slot.objects.filter(study=study)
    read(slot, [5, 1])
    lines = lines_of(take_snapshot(name="Monday", simulated=False))
    assert len(lines) == 3
    assert not any("masks" in line for line in lines)


def test_the_run_folder_has_the_masks(
    follower: ModelVersion,
    conditions: list[Condition],
    snapshot_of: Callable[..., Snapshot],
    tmp_path: Path,
) -> None:
    snapshot = snapshot_of(made(follower, "m2i", conditions))
    fine_tune = start_finetune(snapshot=snapshot, parent=follower, method="kto")
    assert fine_tune.settings["adapted"] == ("unet", "controlnet")
    spec = write_run_folder(fine_tune, tmp_path)
    assert spec.adapted == ("unet", "controlnet")
    lines = [json.loads(line) for line in Path(spec.preferences).read_text().splitlines()]
    blobs = {mask.kind: mask.blob for masks in conditions[:1] for mask in masks}
    paths = next(
        line["masks"] for line in lines if line["masks"]["lungs"].endswith(blobs["lungs"].sha256)
    )
    assert {kind: Path(path).read_bytes() for kind, path in paths.items()} == {
        kind: blob.read() for kind, blob in blobs.items()
    }


def test_a_parent_that_follows_no_masks_learns_from_the_rest_if_there_is_any(
    follower: ModelVersion, conditions: list[Condition], snapshot_of: Callable[..., Snapshot],
    tmp_path: Path,
) -> None:  # fmt: skip
    deaf = ModelVersion.objects.create(name="deaf", location="bundled", sha256="1" * 64)
    masked = snapshot_of(made(follower, "tm2i", conditions))
    with pytest.raises(RemediableError, match="All pairs of the snapshot “Monday” are of images"):
        start_finetune(snapshot=masked, parent=deaf, method="dpo_margin")
    mixed = snapshot_of(made(follower, "t2i", []))
    fine_tune = start_finetune(snapshot=mixed, parent=deaf, method="dpo_margin")
    assert fine_tune.settings["adapted"] == ("unet",)
    assert count_left_out(mixed, deaf) == 6
    spec = write_run_folder(fine_tune, tmp_path)
    assert len(Path(spec.preferences).read_text().splitlines()) == 3
    with pytest.raises(RemediableError, match="“deaf” has no ControlNet that could learn"):
        start_finetune(
            snapshot=mixed, parent=deaf, method="kto", settings={"adapted": ["controlnet"]}
        )


def test_the_form_says_what_learns(
    follower: ModelVersion, conditions: list[Condition], snapshot_of: Callable[..., Snapshot]
) -> None:
    deaf = ModelVersion.objects.create(name="deaf", location="bundled", sha256="1" * 64)
    text = snapshot_of(made(follower, "t2i", []))
    plain = FineTuneForm(initial={"snapshot": text.pk, "parent": follower.pk})
    assert (plain.masks_note, plain.fields["adapted"].initial) == ("", "unet")
    mixed = snapshot_of(made(follower, "tm2i", conditions))
    form = FineTuneForm(initial={"snapshot": mixed.pk, "parent": follower.pk})
    assert "6 pairs and ratings" in form.masks_note
    assert "So the ControlNet learns too" in form.masks_note
    assert form.fields["adapted"].initial == "unet controlnet"
    other = FineTuneForm(initial={"snapshot": mixed.pk, "parent": deaf.pk})
    assert "They are left out, since deaf does not follow any" in other.masks_note
    assert other.fields["adapted"].initial == "unet"


@pytest.mark.slow
def test_masks_and_text_teach_a_child_that_follows_both(
    base: ModelVersion, conditions: list[Condition], tmp_path: Path
) -> None:
    """From recipes through simulated readings to images of the child, all modes in one snapshot."""
    tiny = register("tiny", str(save_tiny_model(tmp_path / "tiny", follows_masks=True)))
    assert tiny.follows_masks
    batches = [sampled(tiny, mode, conditions) for mode in ("t2i", "m2i", "tm2i")]
    study = create_study(name="Masks", readers=[], readers_per_case=2)
    add_cases(study, batches)
    simulate_readings(staff_and_open(study, reader_count=2))
    snapshot = take_snapshot(name="Monday", simulated=True)
    assert {("prompt" in line, "masks" in line) for line in lines_of(snapshot)} == {
        (True, False), (False, True), (True, True),
    }  # fmt: skip
    fine_tune = start_finetune(
        snapshot=snapshot,
        parent=tiny,
        method="reward_weighted",
        settings=TWO_STEPS,
        asks_gate=False,
    )
    write_run_folder(fine_tune, tmp_path)
    assert run_command(finetune, [str(tmp_path)]) == 0
    child = finish_finetune(fine_tune, adapter=tmp_path / "adapter")
    assert child.follows_masks
    for folder in (Path(child.location), Path(child.location) / "controlnet"):
        weights = load_file(folder / "pytorch_lora_weights.safetensors")
        assert any("lora_B" in name and weight.any() for name, weight in weights.items())
    for mode in ("m2i", "tm2i"):
        parents, childs = (
            [made.image.blob_id for made in candidates_of(batch)]
            for batch in (
                next(one for one in batches if one.name == mode),
                sampled(child, mode, conditions),
            )
        )
        assert len(parents) == len(childs) == 4
        assert not set(parents) & set(childs)


def sampled(version: ModelVersion, mode: Mode, conditions: list[Condition]) -> Batch:
    batch = create_batch(
        mode,
        model_version=version,
        prompts=() if mode == "m2i" else PROMPTS[:1],
        images_per_prompt=2,
        mode=mode,
        conditions=() if mode == "t2i" else conditions,
        settings=Settings(side=SIDE, steps=2),
    )
    for run in batch.runs.all():
        done = runs.execute(run.pk)
        assert done is not None
        assert (done.state, done.error) == (State.SUCCEEDED, "")
    return batch


def candidates_of(batch: Batch) -> list[Candidate]:
    places = BatchRecipe.objects.filter(batch=batch).select_related("recipe__candidate__image")
    return [place.recipe.candidate for place in places]


def test_without_a_prompt_only_mode_m2i_can_be_asked_for(
    follower: ModelVersion, conditions: list[Condition]
) -> None:
    with pytest.raises(RemediableError, match="A prompt is empty"):
        create_batch(
            "x",
            model_version=follower,
            prompts=[""],
            images_per_prompt=1,
            mode="tm2i",
            conditions=conditions,
        )
    assert not Recipe.objects.exists()

"""Asking for candidates and making them, with a tiny real model."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from django.core.management import CommandError, call_command

from feedback_app.accounts.models import AuditEvent
from feedback_app.images.candidates.batches import (
    Settings,
    create_batch,
    made_before,
    make_missing,
    measured_seconds_per_step,
    numbers_made_before,
    progress_of,
    runs_ahead,
    unused_seed,
)
from feedback_app.images.candidates.tasks import candidates as candidate_tasks
from feedback_app.images.management.commands.generate import in_ranges
from feedback_app.images.models import Batch, Candidate, Image, ModelVersion, Recipe
from feedback_app.runs import services as runs
from feedback_app.runs.models import State
from feedback_app.runs.tasks import execute
from generation.diffusion.sampling import sample
from generation.errors import RemediableError
from generation.specs import MOST_AT_ONCE, PROMPT_MAX_CHARACTERS, SampleSpec

pytestmark = pytest.mark.django_db

Ask = Callable[..., Batch]


def pixels_of(image: Image) -> "np.ndarray[Any, Any]":
    return np.asarray(PIL.Image.open(io.BytesIO(image.blob.read()))).astype(int)


def make(batch: Batch) -> None:
    execute(run_id=str(batch.runs.first().pk))  # type: ignore[union-attr]


def test_a_batch_writes_its_recipes_out_with_a_seed_each(ask: Ask) -> None:
    batch = ask(seed=100)
    places = list(batch.batchrecipe_set.select_related("recipe"))
    assert [place.prompt_index for place in places] == [0] * 4 + [1] * 4
    assert [place.recipe.seed for place in places] == list(range(100, 108))
    assert len({place.recipe.key for place in places}) == 8
    assert places[4].recipe.findings == ["pneumonia"]


def test_a_batch_is_cut_into_runs_above_training(ask: Ask) -> None:
    batch = ask(per_prompt=MOST_AT_ONCE)
    assert batch.runs.count() == 2
    assert all(run.priority > 0 and run.queue == "gpu" for run in batch.runs.all())


def test_a_batch_gives_each_recipe_one_image_with_its_provenance(ask: Ask) -> None:
    batch = ask()
    make(batch)
    assert not Recipe.objects.unmade().filter(batches=batch).exists()
    candidate = Candidate.objects.select_related("image__blob", "run").first()
    assert candidate is not None
    assert {"torch", "diffusers", "device", "dtype", "seconds"} <= set(candidate.provenance)
    assert candidate.run is not None
    assert candidate.run.state == State.SUCCEEDED
    sizes = set(Image.objects.values_list("blob__size_bytes", flat=True))
    assert len(sizes) == 1


def test_the_same_batch_made_twice_changes_nothing(ask: Ask) -> None:
    batch = ask()
    make(batch)
    before = dict(Candidate.objects.values_list("recipe_id", "image_id"))
    again = ask()
    assert not again.runs.exists()
    run = batch.runs.get()
    type(run).objects.filter(pk=run.pk).update(state=State.QUEUED, finished_at=None)
    make(batch)
    assert dict(Candidate.objects.values_list("recipe_id", "image_id")) == before
    assert Image.objects.count() == len(before) == 8
    run.refresh_from_db()
    assert run.result["made"] == 0


def test_a_new_batch_takes_unused_seeds_and_says_what_existed_and_what_is_ahead(
    ask: Ask, version: ModelVersion
) -> None:
    first = ask(seed=7)
    assert unused_seed(version) == 15
    assert (runs_ahead(first), progress_of(first).is_waiting) == (0, True)
    other = ask(seed=100)
    assert runs_ahead(other) == first.runs.count()
    event = AuditEvent.objects.get(action="batch.created", target_id=str(other.pk))
    assert event.details == {"images": 8, "model_version": version.name}
    make(first)
    same = ask(seed=7)
    assert (made_before(first), made_before(same)) == (0, 8)
    assert list(numbers_made_before(same)) == list(range(8))


def test_numbers_are_said_in_ranges() -> None:
    assert in_ranges([1, 3, 4, 5, 9, 10]) == "image 1, images 3 to 5, images 9 to 10"


def test_a_run_makes_only_what_is_missing_and_the_same_pixels(ask: Ask) -> None:
    batch = ask()
    make(batch)
    recipe = Recipe.objects.filter(batches=batch).first()
    assert recipe is not None
    image = recipe.candidate.image
    before = pixels_of(image)
    recipe.candidate.delete()
    image.delete()
    assert len(make_missing(batch)) == 1
    assert not make_missing(batch)  # it waits already
    execute(run_id=str(batch.runs.unfinished().get().pk))
    assert Candidate.objects.count() == Image.objects.count() == 8
    after = pixels_of(Candidate.objects.get(recipe=recipe.key).image)
    # It was made with three others the first time and alone the second: the same to rounding.
    assert abs(after - before).max() <= 1


def test_two_workers_that_make_one_recipe_leave_one_image(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = ask()

    def overtaken(pipeline: Any, recipes: list[SampleSpec]) -> object:
        """Somebody else makes the first recipe while this one samples."""
        images = sample(pipeline, recipes)
        if not Candidate.objects.exists():
            candidate_tasks.keep(
                255 - images[0],
                recipe=Recipe.objects.get(batchrecipe__batch=batch, batchrecipe__position=0),
                run=batch.runs.get(),
                provenance={"by": "the other"},
            )
        return images

    monkeypatch.setattr(candidate_tasks, "sample", overtaken)
    make(batch)
    run = batch.runs.get()
    assert (run.state, run.result["made"]) == (State.SUCCEEDED, 7)
    assert Candidate.objects.count() == Image.objects.count() == 8
    assert Candidate.objects.filter(provenance={"by": "the other"}).count() == 1
    assert not Image.objects.filter(candidate=None).exists()


def test_a_cancelled_batch_keeps_what_is_made_and_can_go_on(ask: Ask) -> None:
    batch = ask(per_prompt=MOST_AT_ONCE)
    first, last = batch.runs.order_by("created_at")
    runs.execute(first.pk)
    runs.cancel(last)
    assert (progress_of(batch).made, progress_of(batch).is_live) == (MOST_AT_ONCE, False)
    make_missing(batch)
    assert progress_of(batch).is_live
    execute(run_id=str(batch.runs.unfinished().get().pk))
    assert progress_of(batch).is_complete


def test_recipes_of_other_weights_are_other_recipes(ask: Ask, version: ModelVersion) -> None:
    ask()
    ModelVersion.objects.filter(pk=version.pk).update(sha256="f" * 64)
    version.refresh_from_db()
    create_batch(
        "other",
        model_version=version,
        prompts=[ask().recipes.first().prompt],  # type: ignore[union-attr]
        images_per_prompt=1,
        settings=Settings(steps=2),
    )
    assert Recipe.objects.count() > 8


def test_the_pace_is_that_of_the_last_images(ask: Ask, version: ModelVersion) -> None:
    assert measured_seconds_per_step(version) is None
    make(ask())
    pace = measured_seconds_per_step(version)
    assert pace is not None
    assert 0 < pace < 5
    assert measured_seconds_per_step(version, follows_masks=True) is None
    masked = Candidate.objects.earliest("pk")
    Recipe.objects.filter(pk=masked.recipe_id).update(mode="tm2i")
    Candidate.objects.filter(pk=masked.pk).update(provenance={"seconds": 30.0})
    slow = measured_seconds_per_step(version, follows_masks=True)
    assert slow == pytest.approx(30 / masked.recipe.steps)
    assert measured_seconds_per_step(version) == pytest.approx(pace, rel=0.9)


@pytest.mark.parametrize(
    ("prompts", "per_prompt", "said"),
    [
        ([], 4, "Nothing was asked for"),
        (["edema"], 0, "Nothing was asked for"),
        (["edema", "effusion", "edema"], 1, "twice"),
        (["edema", "x" * 10_000], 1, "Prompt 2 has 10,000 characters"),
        (["edema"], 100_000, "100,000 images"),
    ],
)
def test_what_cannot_be_made_is_refused_and_named(
    version: ModelVersion, prompts: list[str], per_prompt: int, said: str
) -> None:
    with pytest.raises(RemediableError, match=said):
        create_batch("bad", model_version=version, prompts=prompts, images_per_prompt=per_prompt)
    assert not Batch.objects.exists()
    assert not Recipe.objects.exists()


def test_a_setting_out_of_range_is_named(version: ModelVersion) -> None:
    with pytest.raises(RemediableError, match="steps 500"):
        create_batch(
            "bad",
            model_version=version,
            prompts=["edema"],
            images_per_prompt=1,
            settings=Settings(steps=500),
        )


def test_a_model_whose_folder_is_gone_fails_the_run_clearly(
    version: ModelVersion, ask: Ask, tmp_path: Path
) -> None:
    batch = ask()
    gone = str(tmp_path / "gone")
    ModelVersion.objects.filter(pk=version.pk).update(location=gone, sha256="0" * 64)
    make(batch)
    run = batch.runs.get()
    assert run.state == State.FAILED
    assert gone in run.error
    assert run.remedy


def test_a_prompt_that_is_too_long_for_the_model_fails_with_a_remedy(ask: Ask) -> None:
    batch = ask(prompts=("x-ray " * (PROMPT_MAX_CHARACTERS // 6),))
    make(batch)
    run = batch.runs.get()
    assert run.state == State.FAILED
    assert "Shorten" in run.remedy


def test_the_command_makes_a_batch(
    version: ModelVersion, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("edema\n\neffusion\n")
    call_command("generate", prompt_file=file, images_per_prompt=2, steps=2, name="From a file")
    said = capsys.readouterr().out
    assert "4 of 4 made" in said
    assert "existed already" not in said
    call_command("generate", "edema", images_per_prompt=3, steps=2, seed=0, queue=True)
    assert (
        "2 of 3 existed already and are not made again: images 1 to 2." in capsys.readouterr().out
    )
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("generate", prompt_file=tmp_path / "nowhere")
    with pytest.raises(CommandError, match="no model version 'nobody'"):
        call_command("generate", "edema", model="nobody")

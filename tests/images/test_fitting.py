"""Batches whose images are tried again until a judge sees what their prompts name."""

from pathlib import Path

import pytest
import torch
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from feedback_app.images.blobs.pixels import pixels_of
from feedback_app.images.candidates.batches import make_missing, progress_of
from feedback_app.images.candidates.requests import BatchRequest, ask_for_batch
from feedback_app.images.models import (
    Batch,
    BatchRecipe,
    Candidate,
    ModelVersion,
    Recipe,
    Scorer,
    Try,
)
from feedback_app.images.scorers.judges import register_judge
from feedback_app.images.scorers.tasks.networks import release_scorers
from feedback_app.requests import read
from feedback_app.runs.models import State
from feedback_app.runs.tasks import execute
from generation.errors import RemediableError
from generation.specs import BUNDLED
from generation.vlm.judge import Heads, Judge, JudgeFacts
from generation.vlm.model.seen import look_at
from generation.vlm.model.vlms import load_vlm

pytestmark = pytest.mark.django_db
PROMPTS = ("chest x-ray, no finding, PA view", "chest x-ray, pneumonia, AP view")
PHRASES = ("view AP", "view PA")


def ask(**changes: object) -> Batch:
    values = {"prompts": PROMPTS, "images_per_prompt": 4, "steps": 2, "seed": 0}
    return ask_for_batch(read(BatchRequest, values | changes))[0]


def make(batch: Batch) -> None:
    for run in batch.runs.unfinished():
        execute(run_id=str(run.pk))


@pytest.fixture
def judge(version: ModelVersion, tmp_path: Path) -> None:
    """One for whom half of the first eight pictures of the tiny model are PA."""
    make(ask(seed=1_000))
    made = Candidate.objects.select_related("image__blob").order_by("recipe__seed")
    pictures = [pixels_of(one.image) for one in made]
    tower = load_vlm(BUNDLED).model.model.vision_tower
    cells = look_at(tower, pictures)[:, 0].float()
    of_prompts = cells[:4].mean(0) - cells[4:].mean(0)
    between = of_prompts / of_prompts.norm()
    way = cells[0] - cells[:4].mean(0)
    way = way - (way @ between) * between  # it tells images of one prompt from each other
    middle = float((cells @ way).median())
    heads = Heads(cells.shape[1], 2)
    with torch.no_grad():
        heads.weight.copy_(torch.stack([-way, way]))
        heads.bias.copy_(torch.tensor([middle, -middle]))
    facts = JudgeFacts(eye=BUNDLED, phrases=PHRASES, auroc=dict.fromkeys(PHRASES, 0.99),
                       thresholds=dict.fromkeys(PHRASES, 0.0), held_out=9)  # fmt: skip
    Judge(tower, heads, facts).save(tmp_path / "judge")
    register_judge("judge", tmp_path / "judge")


def test_images_are_tried_until_they_fit_and_nothing_is_made_twice(
    judge: None, cora_client: Client
) -> None:
    batch = ask(fits=["view"], tries=3)
    assert batch.tries.count() == 24
    assert list(batch.tries.filter(position=2).values_list("recipe__seed", flat=True)) == [
        2,
        10,
        18,
    ]
    assert not batch.recipes.exists()
    page = cora_client.get(reverse("images:batch", args=[batch.pk])).content.decode()
    assert page.count('class="unmade"') == 8
    assert "2 prompts" in page
    # A worker was killed after it had made some of the first tries, and before they were judged.
    first = batch.tries.get(position=0, number=1)
    call_command("generate", PROMPTS[0], steps=2, seed=first.recipe.seed, images_per_prompt=1)
    image = Candidate.objects.get(recipe=first.recipe).pk
    make(batch)

    counts = progress_of(batch).fitting
    assert counts is not None
    assert counts.fitted > counts.fitted_at.get(1, 0) > 0
    assert counts.fitted + counts.never == 8
    assert progress_of(batch).is_complete
    assert Candidate.objects.get(recipe=first.recipe).pk == image
    for place in BatchRecipe.objects.filter(batch=batch):
        tried = list(batch.tries.filter(position=place.position).values_list("fits", flat=True))
        assert tried == [False] * (len(tried) - 1) + [True]
        assert place.recipe.tries.get(batch=batch).fits
    all_made = Candidate.objects.filter(recipe__tries__batch=batch)
    assert all_made.count() == counts.fitted + counts.misfits
    of_batch = Candidate.objects.filter(recipe__batches=batch)
    assert not of_batch.filter(recipe__in=batch.tries.misfits().values("recipe")).exists()

    made = Candidate.objects.count()
    assert make_missing(batch) == []
    again = ask(fits=["view"], tries=3)
    make(again)
    assert Candidate.objects.count() == made
    assert set(again.recipes.all()) == set(batch.recipes.all())
    assert ask().tries.count() == 0
    assert Recipe.objects.filter(seed__lt=24).count() == 24

    misfit = Try.objects.misfits().filter(batch=batch)[0]
    page = cora_client.get(reverse("images:batch", args=[batch.pk])).content.decode()
    assert f"{counts.misfits} candidate" in page
    assert f"1 try: {counts.fitted_at[1]}" in page
    candidate = misfit.recipe.candidate
    page = cora_client.get(reverse("images:candidate", args=[candidate.pk])).content.decode()
    assert misfit.unlike[0] in page
    gallery = cora_client.get(reverse("images:gallery"), {"unfit": "yes"}).content.decode()
    assert gallery.count("did not fit</span>") == gallery.count("data-row") == counts.misfits
    told = cora_client.get(reverse("api:batch-tries", args=[batch.pk])).json()
    assert told["count"] == batch.tries.count()
    found = cora_client.get(reverse("api:candidate", args=[candidate.pk])).json()
    assert sorted(found["did_not_fit"]) == sorted(map(str, (batch.pk, again.pk)))
    told = cora_client.get(reverse("api:batch", args=[batch.pk])).json()["fits"]
    assert (told["never"], told["misfits"]) == (counts.never, counts.misfits)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fits": ["sex"]}, "No judge of the sex"),
        ({"fits": ["view"], "prompts": ["edema"]}, "No prompt says anything of the view"),
        ({"fits": ["view"], "images_per_prompt": 256, "tries": 8, "prompts": [
            f"chest x-ray, PA view, {age} years" for age in range(5)]}, "8,192 are the most"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused(
    judge: None, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(RemediableError, match=words):
        ask(**changes)


def test_a_judge_that_is_gone_leaves_the_batch_open(judge: None) -> None:
    batch = ask(fits=["view"], tries=2)
    folder = Scorer.objects.get(kind="visible-view").folder
    folder.rename(folder.with_name("away"))
    release_scorers()
    make(batch)
    assert batch.runs.get().state == State.FAILED
    assert "No judge says anything" in batch.runs.get().error
    assert (progress_of(batch).done, Candidate.objects.count()) == (0, 16)
    folder.with_name("away").rename(folder)
    make_missing(batch)
    make(batch)
    assert progress_of(batch).is_complete

"""Repairs of candidates: asked for by page, API and command, made, and traced to the original."""

from collections.abc import Callable
from typing import Any

import numpy as np
import PIL.Image
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.images.candidates.repairs import RepairRequest, ask_for_repair
from feedback_app.images.models import Batch, Candidate, Recipe
from feedback_app.runs.console import execute_here
from feedback_app.studies.services import add_picked, create_study
from generation.errors import RemediableError

BOX = ((4.0, 4.0), (16.0, 4.0), (16.0, 20.0), (4.0, 20.0))
TEXT = "4,4 16,20"


@pytest.fixture
def candidate(ask: Callable[..., Batch]) -> Candidate:
    batch = ask(prompts=("chest x-ray, pneumonia",), per_prompt=1)
    make(batch)
    return Candidate.objects.get(recipe__batches=batch)


def make(batch: Batch) -> None:
    for run in batch.runs.unfinished():
        execute_here(run, write=lambda _: None)


def pixels_of(candidate: Candidate) -> Any:
    with candidate.image.blob.open() as file, PIL.Image.open(file) as picture:
        return np.asarray(picture)


def test_a_repair_keeps_all_but_its_region_and_knows_where_it_is_from(
    candidate: Candidate,
) -> None:
    batch = ask_for_repair(RepairRequest(regions=(BOX,), images=2), candidate)
    make(batch)
    before = pixels_of(candidate)
    made = list(Candidate.objects.filter(recipe__batches=batch))
    assert len(made) == 2
    for repaired in made:
        changed = np.argwhere(pixels_of(repaired) != before)
        assert len(changed)
        assert changed.min(0).tolist() >= [4, 4]
        assert (changed.max(0) < [20, 16]).all()
        recipe = repaired.recipe
        assert (recipe.repair.original, recipe.prompt) == (candidate, candidate.recipe.prompt)
        assert recipe.key == recipe.compute_key() != candidate.recipe.compute_key()
    again = ask_for_repair(
        RepairRequest(regions=(BOX,), images=1, seed=made[0].recipe.seed), candidate
    )
    assert not again.runs.exists()  # the same repair is the same recipe, which is made


def test_regions_outside_of_the_image_are_refused_and_others_cut(candidate: Candidate) -> None:
    beyond = ((-9.0, 100.0), (-1.0, 100.0), (-1.0, 120.0))
    with pytest.raises(RemediableError, match="outside of the image"):
        ask_for_repair(RepairRequest(regions=(beyond,)), candidate)
    across = ((-9.0, 0.0), (8.0, 0.0), (8.0, 8.0))
    batch = ask_for_repair(RepairRequest(regions=(across,), images=1), candidate)
    recipe = Recipe.objects.get(batches=batch)
    assert recipe.repair.regions == [[[0, 0], [8, 0], [8, 8]]]


def test_page_api_and_command_ask_for_the_same(
    client: Client, cora: User, candidate: Candidate
) -> None:
    client.force_login(cora)
    page = reverse("images:repair", args=[candidate.pk])
    assert TEXT in client.get(page, {"region": TEXT}).content.decode()
    assert client.post(page, {"regions": TEXT, "images": 1, "seed": 5}).status_code == 302
    answer = client.post(
        reverse("api:candidate-repair", args=[candidate.pk]),
        {"regions": [BOX], "images": 1, "seed": 5},
        content_type="application/json",
    )
    assert (answer.status_code, answer.json()["total"]) == (201, 1)
    call_command("repair", str(candidate.pk), TEXT, "--images", "1", "--seed", "5")
    recipe = Recipe.objects.get(repair__original=candidate)  # one for all three
    assert recipe.repair.outlines == ["4,4 16,4 16,20 4,20"]
    shown = client.get(reverse("images:candidate", args=[recipe.candidate.pk])).content.decode()
    assert "Repaired from" in shown
    assert reverse("images:candidate", args=[candidate.pk]) in shown
    told = client.get(reverse("api:candidate", args=[recipe.candidate.pk])).json()
    assert told["repair_of"] == {"candidate": str(candidate.pk), "regions": recipe.repair.regions}
    for refused in ("4,4 16", "nothing"):
        assert client.post(page, {"regions": refused, "images": 1}).status_code == 200
        with pytest.raises(CommandError, match="is no region"):
            call_command("repair", str(candidate.pk), refused)


def test_repair_and_original_become_a_case_of_a_comparison(
    client: Client, cora: User, candidate: Candidate
) -> None:
    batch = ask_for_repair(RepairRequest(regions=(BOX,), images=1), candidate)
    make(batch)
    repaired = Candidate.objects.get(recipe__batches=batch)
    client.force_login(cora)
    address = reverse("images:compare-repair", args=[repaired.pk])
    design = client.post(address, follow=True)
    form = design.context["form"]
    assert form.initial["mode"] == "compare"
    picked = [candidate.pk, repaired.pk]
    assert form.initial["candidates"].split() == [str(key) for key in picked]
    study = create_study(name="Repair against original", mode="compare")
    assert add_picked(study, picked).cases == 1
    assert set(study.cases.get().images.values_list("pk", flat=True)) == set(picked)
    assert client.post(reverse("images:compare-repair", args=[candidate.pk])).status_code == 404

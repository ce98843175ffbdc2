"""Candidates without a model, and studies that somebody has read."""

import io
import uuid
from collections.abc import Callable, Sequence

import numpy as np
import PIL.Image
import pytest

from feedback_app.accounts.models import User
from feedback_app.images.blobs.services import store_image
from feedback_app.images.models import Batch, BatchRecipe, Candidate, ModelVersion, Recipe
from feedback_app.readings.models import Reading
from feedback_app.readings.services import GivenScore, submit
from feedback_app.studies.models import Slot, Study
from feedback_app.studies.services import add_cases_from_batch, create_study, open_study
from generation.specs import SampleSpec

Read = Callable[..., Reading]


@pytest.fixture
def base(db: None) -> ModelVersion:
    return ModelVersion.objects.create(
        name="base", location="bundled", sha256="0" * 64, is_promoted=True
    )


def grey_png(seed: int, *, side: int = 32) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


@pytest.fixture
def make_batch(base: ModelVersion) -> Callable[..., Batch]:
    """A batch with four made candidates a prompt; pixels are noise."""

    def make(prompts: Sequence[str] = ("edema", "effusion"), *, per_prompt: int = 4) -> Batch:
        batch = Batch.objects.create(name="Batch", model_version=base)
        first = Recipe.objects.count()
        for index in range(len(prompts) * per_prompt):
            prompt_index = index // per_prompt
            sample = SampleSpec(prompt=prompts[prompt_index], seed=first + index)
            recipe = Recipe.of(base, sample)
            recipe.save()
            BatchRecipe.objects.create(
                batch=batch, recipe=recipe, position=index, prompt_index=prompt_index
            )
            image = store_image(grey_png(first + index), name="test")
            Candidate.objects.create(image=image, recipe=recipe)
        return batch

    return make


@pytest.fixture
def make_study(make_batch: Callable[..., Batch]) -> Callable[..., Study]:
    """An open study of two cases of four that every reader reads."""

    def make(*readers: User, name: str = "Study", **options: object) -> Study:
        study = create_study(name=name, readers=readers, readers_per_case=len(readers))
        add_cases_from_batch(study, make_batch(**options))
        return open_study(study)

    return make


@pytest.fixture
def read() -> Read:
    """Submit a slot's reading: the scores go to the images in the order of the case."""

    def submit_scores(slot: Slot, scores: Sequence[int]) -> Reading:
        criteria = slot.study.criteria.values_list("slug", flat=True)
        assert slot.reader is not None
        return submit(
            slot=slot,
            reader=slot.reader,
            idempotency_key=uuid.uuid4(),
            scores=[
                GivenScore(place=place, criterion=criterion, value=scores[position])
                for place, position in enumerate(slot.image_order)
                for criterion in criteria
            ],
        )

    return submit_scores

"""A tiny real model, registered, and batches to be made with it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from feedback_app.images import tasks
from feedback_app.images.candidates.batches import Settings, create_batch
from feedback_app.images.models import Batch, ModelVersion
from feedback_app.images.versions.services import register
from tests.tiny_model import save_tiny_model

HANDLERS = tasks
"""Tests do runs in their own process: like a worker, it imports who handles them."""
PROMPTS = ("chest x-ray, no finding, PA view", "chest x-ray, pneumonia, AP view")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def version(db: None, tiny_model: Path) -> ModelVersion:
    return register("tiny", str(tiny_model))


@pytest.fixture
def ask(version: ModelVersion) -> Callable[..., Batch]:
    """Asks for a batch: two prompts, four images each, two steps."""

    def create(
        *, prompts: tuple[str, ...] = PROMPTS, per_prompt: int = 4, steps: int = 2, seed: int = 0
    ) -> Batch:
        return create_batch(
            "Batch",
            model_version=version,
            prompts=prompts,
            images_per_prompt=per_prompt,
            settings=Settings(steps=steps),
            seed=seed,
        )

    return create

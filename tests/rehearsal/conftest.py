"""A tiny model with all that versions are compared by."""

from pathlib import Path

import pytest
import torch

from feedback_app.images.models import ModelVersion
from feedback_app.images.versions.services import register
from generation.measures.features import FeatureNet
from generation.measures.reference import Reference, save_reference
from tests.finetuning.read_studies import base, make_batch
from tests.tiny_model import save_tiny_model

__all__ = ["base", "make_batch", "parent"]


@pytest.fixture
def parent(db: None, tmp_path: Path) -> ModelVersion:
    folder = save_tiny_model(tmp_path / "tiny")
    torch.manual_seed(0)
    net = FeatureNet()
    net.save(folder / "quality")
    reference = Reference(
        train_embeddings=torch.nn.functional.normalize(torch.randn(5, net.embedding_size)),
        train_image_ids=("a", "b", "c", "d", "e"),
        heldout_features=torch.rand(8, net.feature_size),
        threshold=0.99,
    )
    save_reference(reference, folder / "quality")
    return register("tiny", str(folder))

from pathlib import Path

import numpy as np
import pytest
import torch

from generation.errors import RemediableError
from generation.measures.features import (
    FeatureConfig,
    FeatureNet,
    contrastive_loss,
    train_features,
)
from generation.measures.nearest_training_image import NearestTrainingImage
from generation.measures.reference import build_reference, save_reference
from generation.specs import Split, TrainingImage
from generation.training.images import ImageSet, plain


def _images(count: int, *, split: Split, seed: int) -> ImageSet:
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randint(256, (count, 1, 16, 16), generator=generator, dtype=torch.uint8)
    pixels = coarse.repeat_interleave(16, 2).repeat_interleave(16, 3)
    names = [f"{split}-{number}" for number in range(count)]
    rows = [TrainingImage(path=name, image_id=name, patient=name, split=split) for name in names]
    return ImageSet(pixels, tuple(rows))


def _as_pictures(images: ImageSet) -> list[np.ndarray]:
    return list(((plain(images.pixels)[:, 0] + 1) * 127.5).round().byte().numpy())


@pytest.fixture(scope="module")
def quality(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pretraining leaves, of a network that has learnt to tell twelve images apart."""
    folder = tmp_path_factory.mktemp("quality")
    training = _images(12, split="train", seed=0)
    net = train_features(
        training,
        FeatureConfig(steps=15, batch_size=12, warm_up=2),
        device=torch.device("cpu"),
        checkpoint=folder / "features.pt",
        report=lambda step, figures: None,
    )
    net.save(folder)
    heldout = _images(8, split="test", seed=1)
    save_reference(build_reference(FeatureNet.load(folder), training, heldout), folder)
    return folder


def test_a_copy_of_a_training_image_is_found_and_named(quality: Path) -> None:
    nearest = NearestTrainingImage.load(quality)
    values, indexes = nearest.similarity(_as_pictures(_images(12, split="train", seed=0)))
    assert indexes.tolist() == list(range(12))
    assert values.min() > 0.99
    assert nearest.reference.train_image_ids[indexes[3]] == "train-3"


def test_one_in_a_hundred_held_out_images_at_most_counts_as_a_copy(quality: Path) -> None:
    nearest = NearestTrainingImage.load(quality)
    heldout = _as_pictures(_images(8, split="test", seed=1))
    values, _ = nearest.similarity(heldout)
    expected = values.quantile(0.99).item()
    assert nearest.threshold == pytest.approx(expected, abs=2e-3)


def test_a_patient_on_both_sides_is_refused(quality: Path) -> None:
    images = _images(4, split="train", seed=0)
    with pytest.raises(RemediableError, match="train-0"):
        build_reference(FeatureNet.load(quality), images, images)


def test_a_folder_without_a_reference_is_named(tmp_path: Path) -> None:
    with pytest.raises(RemediableError, match=str(tmp_path)):
        NearestTrainingImage.load(tmp_path)


def test_the_contrastive_loss_has_the_value_computed_by_hand() -> None:
    """Two images, unit vectors x and y, both versions alike, temperature 1.

    Each row has its partner at 1 and two others at 0: -log(e / (e + 2)).
    """
    embeddings = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    e = torch.e
    loss = contrastive_loss(embeddings, ["a", "b"], temperature=1.0)
    assert loss.item() == pytest.approx(-np.log(e / (e + 2)), rel=1e-5)


def test_another_image_of_the_same_patient_is_neither_alike_nor_different() -> None:
    embeddings = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    assert contrastive_loss(embeddings, ["a", "a"], temperature=1.0).item() == pytest.approx(0)

"""The classifier: labels that may be unknown, AUROC, training that goes on."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.networks.nets import DenseNet121

from generation.downstream.classifier import (
    Classifier,
    auroc_by_finding,
    build_densenet,
    known_cross_entropy,
    learnable_findings,
    predict,
    targets_of,
    train_classifier,
)
from generation.errors import RemediableError
from generation.specs import ClassifierSpec, Split, TrainingImage
from generation.training.images import ImageSet, plain

SPEC = ClassifierSpec(
    manifest="",
    network="tiny",
    resolution=32,
    max_steps=40,
    evaluate_every=10,
    learning_rate=5e-3,
)


def silent(step: int, figures: Mapping[str, float]) -> None:
    pass


def row(
    number: int, *findings: str, split: Split = "train", unknown: tuple[str, ...] = ()
) -> TrainingImage:
    return TrainingImage(
        path="",
        image_id=str(number),
        patient=str(number),
        split=split,
        findings=findings,
        unknown=unknown,
    )


def stripes(count: int, *, split: Split) -> ImageSet:
    """Half the images with a mass: coarse stripes; the others are fine-grained noise."""
    generator = torch.Generator().manual_seed(count)
    pixels = torch.randint(90, 166, (count, 1, 64, 64), generator=generator, dtype=torch.uint8)
    pixels[::2, :, 16:48:8] = 250
    pixels[::2, :, 17:48:8] = 250
    rows = [row(n, *(["mass"] if n % 2 == 0 else []), split=split) for n in range(count)]
    return ImageSet(pixels, tuple(rows))


def train(checkpoint: Path, spec: ClassifierSpec = SPEC) -> Classifier:
    return train_classifier(
        stripes(32, split="train"),
        stripes(16, split="validation"),
        spec,
        device=torch.device("cpu"),
        checkpoint=checkpoint,
        report=silent,
    )[0]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return train(tmp_path_factory.mktemp("trained") / "state.pt")


def test_it_learns_what_the_labels_say(trained: Classifier) -> None:
    heldout = stripes(24, split="test")
    found = predict(trained.net, plain(heldout.pixels))
    assert auroc_by_finding(found, heldout.rows, trained.config.findings)["mass"] > 0.9
    assert trained.config.validation_auroc > 0.9


def test_what_was_saved_says_the_same(trained: Classifier, tmp_path: Path) -> None:
    trained.save(tmp_path)
    loaded = Classifier.load(tmp_path)
    images = list(np.random.default_rng(0).integers(0, 256, (2, 40, 50), dtype=np.uint8))
    assert torch.equal(loaded.probabilities(images), trained.probabilities(images))
    features = loaded.features(images)
    # 8 channels at 4 x 4 places, then 6 of them, then what the last layer decides by.
    assert features.shape == (2, 16 * (8 + 6) + trained.net.class_layers.out.in_features)
    assert torch.equal(features, trained.features(images))


def test_a_training_that_was_broken_off_comes_to_the_same_weights(tmp_path: Path) -> None:
    spec = replace(SPEC, max_steps=4, evaluate_every=2)
    whole = train(tmp_path / "whole.pt", spec)

    def break_off(step: int, figures: Mapping[str, float]) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_classifier(
            stripes(32, split="train"),
            stripes(16, split="validation"),
            spec,
            device=torch.device("cpu"),
            checkpoint=tmp_path / "broken.pt",
            report=break_off,
        )
    resumed = train(tmp_path / "broken.pt", spec)
    for name, value in whole.net.state_dict().items():
        assert torch.equal(value, resumed.net.state_dict()[name])


def test_unknown_labels_do_not_count() -> None:
    logits = torch.tensor([[0.0, 9.0], [0.0, 0.0]])
    targets = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    known = torch.tensor([[True, False], [True, True]])
    assert known_cross_entropy(logits, targets, known).item() == pytest.approx(np.log(2))
    assert known_cross_entropy(logits, targets, torch.zeros_like(known)).item() == 0


def test_targets_say_what_is_there_and_what_is_known() -> None:
    there, known = targets_of([row(0, "mass", unknown=("edema",))], ("edema", "mass"))
    assert there.tolist() == [[0.0, 1.0]] and known.tolist() == [[False, True]]


def test_auroc_leaves_out_unknown_labels_and_undefined_findings() -> None:
    rows = [row(0, "mass"), row(1), row(2, "mass", unknown=("mass",)), row(3)]
    found = torch.tensor([[0.9, 0.5], [0.1, 0.5], [0.0, 0.5], [0.95, 0.5]])
    assert auroc_by_finding(found, rows, ("mass", "edema")) == {"mass": 0.5}


def test_only_findings_with_examples_on_both_sides_are_learnt() -> None:
    rows = [row(n, *(["mass"] if n < 6 else [])) for n in range(12)] + [row(12, "edema")]
    assert learnable_findings(rows) == ("mass",)
    with pytest.raises(RemediableError, match="no finding"):
        learnable_findings(rows[:6])


def test_the_large_network_is_monais_densenet121() -> None:
    reference = DenseNet121(spatial_dims=2, in_channels=1, out_channels=3)
    ours = build_densenet("densenet121", outputs=3)
    assert {n: w.shape for n, w in ours.state_dict().items()} == {
        n: w.shape for n, w in reference.state_dict().items()
    }

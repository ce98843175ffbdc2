"""The reward model: what it learns from, how it splits, what it says of itself."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from generation.downstream.classifier import Classifier, ClassifierConfig, build_densenet
from generation.errors import RemediableError
from generation.measures.features import FeatureNet
from generation.preferences.readers_reward import ForetoldScore
from generation.rewards.conditions import embed_prompt
from generation.rewards.reward_model import Heads, RewardConfig, RewardModel, expected_scores
from generation.rewards.reward_training import (
    bradley_terry,
    cumulative_link,
    expected_calibration_error,
    fit_temperature,
    heldout_figures,
    margins_of,
    train_heads,
)
from generation.rewards.scored_pairs import encode, group_by, split_groups
from generation.rewards.trunks import load_trunk, trunk_of
from generation.specs import RewardModelSpec
from generation.statistics.intervals import cluster_bootstrap
from tests.generation.bright_pairs import write_pairs

TRUNK = "tests.generation.bright_pairs:Brightness"
SPEC = RewardModelSpec(preferences="-", trunk=TRUNK, hidden=4, steps=120, learning_rate=1e-2)


class JudgesOwn(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(FeatureNet())


def test_it_learns_what_readers_like_and_knows_how_well(tmp_path: Path) -> None:
    trunk = load_trunk(TRUNK)
    lessons = encode(write_pairs(tmp_path, prompts=20), trunk)
    split = split_groups(lessons.group.tolist(), seed=0)
    heads = train_heads(lessons, split, SPEC, report=lambda step, figures: None)
    temperature = fit_temperature(margins_of(heads, lessons, split.calibration))
    figures = heldout_figures(heads, lessons, split, temperature=temperature, seed=0)
    assert figures["pair_accuracy"] > 0.9
    assert figures["pair_accuracy_low"] <= figures["pair_accuracy"] <= 1
    assert figures["rank_correlation"] > 0.8
    assert 0 <= figures["calibration_error"] < 0.3
    assert figures["test_groups"] == 4
    config = RewardConfig(
        trunk=TRUNK, features=2, members=5, hidden=SPEC.hidden, temperature=temperature
    )
    model = RewardModel(trunk, heads, config)
    model.save(tmp_path / "model", trunk=TRUNK)
    images = [np.full((20, 30), grey, np.uint8) for grey in (40, 210)]
    prompts = ["chest x-ray, edema, 30 years"] * 2
    dark, bright = RewardModel.load(tmp_path / "model").predict(images, prompts)
    assert [dark, bright] == model.predict(images, prompts)
    assert 0 <= dark.score < bright.score <= 5
    assert dark.disagreement > 0 and bright.utility > dark.utility
    again = train_heads(lessons, split, SPEC, report=lambda step, figures: None)
    for name, value in heads.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])


@pytest.mark.parametrize("kind", ["module", "classifier"])
def test_a_reward_model_can_be_climbed_from_pictures(tmp_path: Path, kind: str) -> None:
    """It foretells what ``predict`` does, with gradients down to the pictures alone."""
    location = TRUNK if kind == "module" else str(tmp_path / "classifier")
    torch.manual_seed(0)
    if kind == "classifier":
        config = ClassifierConfig(
            findings=("edema",), resolution=32, network="tiny", validation_auroc=0.5
        )
        Classifier(build_densenet("tiny", outputs=1), config).save(Path(location))
    trunk = load_trunk(location)
    image = np.tile(np.arange(0, 256, 256 // trunk.side, dtype=np.uint8), (trunk.side, 1))
    features = trunk.features([image]).shape[1]
    shape = RewardConfig(trunk=location, features=features, members=3, hidden=4, temperature=1.0)
    model = RewardModel(trunk, Heads(features, members=3, hidden=4), shape)
    texts = [None, "chest x-ray, edema, 30 years"]
    pictures = (torch.from_numpy(image.copy())[None, None].float() / 127.5 - 1).repeat(2, 1, 1, 1)
    scores = ForetoldScore(model, texts)(pictures.requires_grad_(), torch.tensor([1, 0]))
    expected = [one.score for one in model.predict([image, image], [texts[1] or "", ""])]
    assert scores.tolist() == pytest.approx(expected, abs=1e-4)
    scores.sum().backward()
    assert pictures.grad is not None and (pictures.grad.abs().sum(dim=(1, 2, 3)) > 0).all()
    assert all(weight.grad is None for weight in trunk.module.parameters())
    assert all(weight.grad is None for weight in model.heads.parameters())


def test_pairs_of_one_prompt_or_patient_are_in_one_group() -> None:
    prompts = ["a", "b", "c", "a", "d"]
    patients = ["", "p", "p", "", ""]
    first, second, third, fourth, fifth = group_by(prompts, patients)
    assert first == fourth and second == third
    assert len({first, second, fifth}) == 3


def test_no_group_is_in_two_parts_of_the_split() -> None:
    split = split_groups([0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9], seed=3)
    parts = [split.training, split.calibration, split.test]
    assert sorted(name for part in parts for name in part) == list(range(10))
    assert [len(part) for part in parts] == [6, 2, 2]
    with pytest.raises(RemediableError, match="4 prompts"):
        split_groups([0, 1, 2, 3], seed=0)


def test_what_is_not_trained_on_does_not_teach(tmp_path: Path) -> None:
    """Turning the test's pairs round changes nothing in the heads."""
    lessons = encode(write_pairs(tmp_path, prompts=6), load_trunk(TRUNK))
    split = split_groups(lessons.group.tolist(), seed=0)
    tested = torch.tensor([group in split.test for group in lessons.group.tolist()])
    turned = type(lessons)(
        **{
            **vars(lessons),
            "winner": torch.where(tested, lessons.loser, lessons.winner),
            "loser": torch.where(tested, lessons.winner, lessons.loser),
        }
    )
    one, other = (
        train_heads(each, split, SPEC, report=lambda step, figures: None)
        for each in (lessons, turned)
    )
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name])


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("tests.generation.test_reward_model:JudgesOwn", "judged by"),
        ("nowhere", "no trunk at"),
        ("tests.generation.test_reward_model:nothing", "cannot be imported"),
        ("builtins:dict", "no torch module"),
    ],
)
def test_a_trunk_that_will_not_do_is_refused(location: str, said: str) -> None:
    with pytest.raises(RemediableError, match=said):
        load_trunk(location)


def test_the_features_of_the_gate_are_no_trunk(tmp_path: Path) -> None:
    FeatureNet().save(tmp_path)
    with pytest.raises(RemediableError, match="judged by"):
        load_trunk(str(tmp_path))
    with pytest.raises(RemediableError, match="judged by"):
        trunk_of(FeatureNet(), location="it")


def test_bradley_terry_by_hand() -> None:
    differences = torch.tensor([[0.0, 2.0]])
    assert bradley_terry(differences, torch.tensor([[1.0, 0.0]])).item() == pytest.approx(np.log(2))
    expected = (np.log(2) + 3 * np.log1p(np.exp(-2))) / 4
    assert bradley_terry(differences, torch.tensor([[1.0, 3.0]])).item() == pytest.approx(expected)


def test_cumulative_link_by_hand() -> None:
    """A score of 2.5 exceeds 0 and 1, half exceeds 2, and not 3 and 4."""
    logits = torch.tensor([[[1.0, 0.5, 0.0, -0.5, -1.0]]])
    chances = 1 / (1 + np.exp(-logits.numpy()[0, 0]))
    targets = np.array([1, 1, 0.5, 0, 0])
    expected = -(targets * np.log(chances) + (1 - targets) * np.log(1 - chances)).mean()
    loss = cumulative_link(logits, torch.tensor([2.5]), torch.ones(1, 1))
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_expected_scores_are_sums_of_exceedances() -> None:
    heads = Heads(1, members=2, hidden=1)
    for weight in (heads.first, heads.last):
        weight.data.zero_()
    scores = expected_scores(heads, torch.zeros(3, 1), torch.zeros(3, heads.first.shape[1] - 1))
    by_hand = (-heads.thresholds).sigmoid().sum(1)
    assert torch.allclose(scores, by_hand[:, None].expand(2, 3))
    assert (heads.thresholds.diff(dim=1) > 0).all()


def test_the_temperature_that_fits_is_found() -> None:
    """Three of four right at a margin of 1: sigmoid(1 / T) = 3/4."""
    margins = np.array([1.0, 1.0, 1.0, -1.0])
    assert fit_temperature(margins) == pytest.approx(1 / np.log(3), rel=1e-3)


def test_calibration_error_by_hand() -> None:
    """Sure to 0.9 and right half of the time, sure to 0.6 and always right."""
    assert expected_calibration_error(np.array([0.9, 0.1, 0.6, 0.6])) == pytest.approx(0.4)


def test_intervals_draw_whole_clusters() -> None:
    values = np.array([0.0, 0.0, 1.0, 1.0])
    clusters = np.array([0, 0, 1, 1])
    found = cluster_bootstrap(lambda rows: float(values[rows].mean()), clusters, seed=0)
    assert (found.value, found.low, found.high) == (0.5, 0.0, 1.0)


def test_prompts_are_embedded_by_what_they_name() -> None:
    whole = embed_prompt("chest x-ray, pneumonia, PA view, female, 70 years")
    assert whole.sum().item() == pytest.approx(1 + 1 + 1 + 1 + 1)
    assert embed_prompt("chest x-ray").sum().item() == 0
    assert not torch.equal(whole, embed_prompt("chest x-ray, pneumonia, PA view, male, 70 years"))

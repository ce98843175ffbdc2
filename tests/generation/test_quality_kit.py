"""The evaluation kit: FID by an independent formula, lines with intervals, agreement by a judge."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from sklearn.metrics import roc_auc_score
from torch import nn

from generation.errors import RemediableError
from generation.quality.fid import fid
from generation.quality.kit import Figure, distribution, memorisation, real_distances
from generation.quality.prdc import prdc
from generation.rewards.trunks import load_trunk
from generation.statistics.intervals import wilson
from generation.vlm.agreement import attribute_agreement
from generation.vlm.judge import Judge, JudgeFacts
from tests.published_trunk import save_published


def drawn(count: int, *, seed: int, shift: float = 0.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    mixed = torch.randn(6, 6, generator=generator)
    return torch.randn(count, 6, generator=generator) @ mixed + shift


def test_fid_has_the_value_of_the_published_formula() -> None:
    """The square root of the product itself, by Schur's method, as the authors' code takes it."""
    a, b = drawn(40, seed=0).double(), drawn(50, seed=1, shift=0.5).double()
    first, second = (np.cov(one.numpy(), rowvar=False) for one in (a, b))
    apart = np.square((a.mean(0) - b.mean(0)).numpy()).sum()
    expected = apart + np.trace(first + second - 2 * sqrtm(first @ second).real)
    assert fid(a, b) == pytest.approx(expected, rel=1e-6)
    assert fid(a, a) == pytest.approx(0, abs=1e-6)
    # On a line it is (difference of means)^2 + (difference of deviations)^2: 1 and 3 about 5, 2.
    line = fid(torch.tensor([[0.0], [2.0]]), torch.tensor([[4.0], [10.0]]))
    assert line == pytest.approx(36 + 2 * (3 - 1) ** 2)


def test_fid_bears_more_features_than_images() -> None:
    few = torch.randn(8, 32, generator=torch.Generator().manual_seed(0))
    assert fid(few, few) == pytest.approx(0, abs=1e-4)


def test_precision_and_the_rest_agree_with_counting_by_hand() -> None:
    """Each image and ball is looked at in a plain loop."""
    made, real = drawn(30, seed=2).numpy(), drawn(25, seed=3).numpy()

    def reach(points: np.ndarray) -> list[float]:
        return [sorted(np.linalg.norm(points - one, axis=1))[3] for one in points]

    inside = [[bool(np.linalg.norm(r - m) < far) for m in made]
              for r, far in zip(real, reach(real), strict=True)]  # fmt: skip
    around = [[bool(np.linalg.norm(r - m) < far) for m, far in zip(made, reach(made), strict=True)]
              for r in real]  # fmt: skip
    found = prdc(torch.from_numpy(made), torch.from_numpy(real), nearest_k=3)
    assert found.precision == pytest.approx(np.mean(np.any(inside, axis=0)))
    assert found.recall == pytest.approx(np.mean(np.any(around, axis=1)))
    assert found.density == pytest.approx(np.sum(inside) / (3 * len(made)))
    assert found.coverage == pytest.approx(np.mean(np.any(inside, axis=1)))


def test_a_distribution_has_its_figures_with_intervals_over_prompts() -> None:
    made, real = drawn(40, seed=4, shift=1.0), drawn(30, seed=4)
    prompts = [str(number // 4) for number in range(40)]
    found = {
        one.name: one for one in distribution(made, real, prompts=prompts, whose="w", slug="s")
    }
    assert set(found) == {f"{name}_s" for name in
                          ("kid", "fid", "precision", "recall", "density", "coverage")}  # fmt: skip
    assert found["fid_s"].value == pytest.approx(fid(made, real))
    for one in found.values():
        assert one.low is not None
        assert one.high is not None
        assert one.low <= one.value <= one.high
    assert [one.name for one in real_distances(real, made, whose="w", slug="r")] == [
        "kid_r",
        "fid_r",
    ]
    assert "FID, w" in str(found["fid_s"])


class Nearest:
    """Four candidates, one of which is nearer to a training image than the threshold."""

    threshold = 0.9

    def similarity(self, images: object) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.tensor([0.95, 0.5, 0.6, 0.7]), torch.tensor([1, 2, 2, 3])


def test_memorisation_says_copies_their_threshold_and_the_nearest() -> None:
    pictures = [np.zeros((1, 1))] * 4
    copies, similarity, distinct = memorisation(Nearest(), pictures)  # type: ignore[arg-type]
    assert (copies.value, distinct.value) == (0.25, 3)
    assert (copies.low, copies.high) == pytest.approx(wilson(1, 4))
    assert similarity.value == pytest.approx(0.6)
    assert similarity.note == "a copy above 0.900"


PHRASES = ("pneumonia", "no finding", "view PA", "view AP", "sex male", "sex female")


def test_agreement_is_between_those_that_were_asked_for_it_and_the_others() -> None:
    facts = JudgeFacts(
        eye="none", phrases=PHRASES, auroc=dict.fromkeys(PHRASES, 0.9),
        thresholds=dict.fromkeys(PHRASES, 0.3), held_out=9,
    )  # fmt: skip
    judge = Judge(nn.Identity(), nn.Linear(1, 6), facts)  # type: ignore[arg-type]
    generator = np.random.default_rng(0)
    prompts = [
        f"chest x-ray, {finding}, {view} view, {sex}, {age} years"
        for finding in ("pneumonia", "no finding")
        for view in ("PA", "AP")
        for sex in ("male", "female")
        for age in (30, 60)
        for _ in range(3)
    ]
    found = []
    for prompt in prompts:
        is_pa = generator.random() < (0.9 if "PA view" in prompt else 0.2)
        male = generator.random()
        found.append({
            "view PA": 0.8 if is_pa else 0.1, "view AP": 0.1 if is_pa else 0.8,
            "sex male": male, "sex female": 1 - male,
            "pneumonia": 0.9 if "pneumonia" in prompt else 0.1,
            "no finding": 0.1 if "pneumonia" in prompt else 0.9,
        })  # fmt: skip
    lines = {one.name: one for one in attribute_agreement(judge, prompts, found)}
    asked = np.array(["PA view" in prompt for prompt in prompts])
    scores = np.array([one["view PA"] for one in found])
    assert lines["auc_view"].value == pytest.approx(roc_auc_score(asked, scores))
    assert lines["auc_finding"].value == 1
    assert "not shown to follow it" in lines["auc_sex"].note
    assert "auc_age" not in lines  # this judge has no head for it
    right = [
        (one["view PA"] >= 0.5) == ("PA view" in prompt)
        and (one["sex male"] >= 0.5) == (", male" in prompt)
        for prompt, one in zip(prompts, found, strict=True)
    ]
    assert lines["together"].value == pytest.approx(np.mean(right))
    assert lines["together"].low is not None


def test_a_published_image_model_is_a_trunk_by_its_folder_alone(tmp_path: Path) -> None:
    save_published(tmp_path)
    trunk = load_trunk(str(tmp_path))
    pictures = [np.full((40, 40), value, np.uint8) for value in (0, 255)]
    found = trunk.features(pictures)
    assert found.shape == (2, 16)
    assert not torch.allclose(found[0], found[1])
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(RemediableError, match="no image model that could be loaded"):
        load_trunk(str(tmp_path))


def test_a_line_without_an_interval_is_told_without_one() -> None:
    assert str(Figure(name="n", label="Seconds", value=0.25)).split() == ["Seconds", "0.250"]

import numpy as np
import pytest

from generation.errors import RemediableError
from generation.quality.diversity import mean_ms_ssim


def _noise(seed: int, side: int = 128) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)


def test_the_same_picture_from_every_seed_has_ms_ssim_one() -> None:
    assert mean_ms_ssim([[_noise(0)] * 3]) == pytest.approx(1)


def test_different_pictures_score_lower_than_similar_ones() -> None:
    first = _noise(0)
    near = np.clip(first.astype(int) + _noise(1) // 16, 0, 255).astype(np.uint8)
    assert mean_ms_ssim([[first, _noise(1)]]) < mean_ms_ssim([[first, near]])


def test_groups_count_alike_whatever_their_size() -> None:
    alike, unlike = [_noise(0)] * 4, [_noise(1), _noise(2)]
    both = mean_ms_ssim([alike, unlike])
    assert both == pytest.approx((mean_ms_ssim([alike]) + mean_ms_ssim([unlike])) / 2)


def test_pictures_that_are_too_small_are_refused() -> None:
    with pytest.raises(RemediableError, match="64 pixels"):
        mean_ms_ssim([[_noise(0, side=64), _noise(1, side=64)]])

"""The two tastes and the win rate."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from scipy.ndimage import gaussian_filter

from generation.datasets.splits import split_of
from generation.measures.appearance import (
    SIDE,
    contrast,
    log_power,
    lung_detail,
    lung_fields,
    small_grey,
    symmetry,
)
from generation.rewards.tastes import CONTRAST, Yardstick, readers_taste, second_taste
from generation.statistics.intervals import wilson
from generation.statistics.win_rate import no_narrower_than_chance, win_rate


@pytest.fixture(scope="module")
def held_out(real_data: Path) -> list[np.ndarray]:
    """Twenty real images that the tastes were not measured on."""
    paths = sorted((real_data / "nih" / "images").iterdir())
    chosen = [path for path in paths if is_held_out(path)][:20]
    return [small_grey(PIL.Image.open(path)) for path in chosen]


def is_held_out(path: Path) -> bool:
    patient = str(int(path.name.partition("_")[0]))
    return split_of(patient, cohort="nih") != "train"


def test_the_median_of_real_images_is_the_middle_of_the_scale() -> None:
    assert CONTRAST.place(CONTRAST.median) == 0.5
    # a robust spread above the median: 1 / (1 + e^-1.7)
    assert Yardstick(1.0, 2.0).place(3.0) == pytest.approx(0.845535, abs=1e-6)


def test_a_distance_counts_as_none_up_to_the_real_median_and_halves_three_spreads_on() -> None:
    yardstick = Yardstick(1.0, 0.5)
    assert yardstick.closeness(0.7) == 1
    assert yardstick.closeness(2.5) == pytest.approx(0.5)


def test_contrast_is_mediastinum_minus_lungs() -> None:
    image = np.full((SIDE, SIDE), 0.7)
    image[lung_fields()] = 0.2
    assert contrast(image) == pytest.approx(0.5)


def test_symmetry_is_one_for_a_mirror_image_and_minus_one_for_its_negative() -> None:
    x = np.tile(np.linspace(-1, 1, SIDE), (SIDE, 1))
    assert symmetry(np.abs(x)) == pytest.approx(1)
    assert symmetry(x) == pytest.approx(-1)


def test_lung_detail_sees_fine_detail_only() -> None:
    y, x = np.mgrid[:SIDE, :SIDE]
    assert lung_detail(0.5 + 0.1 * (-1.0) ** (x + y)) == pytest.approx(0.1, abs=1e-3)
    assert lung_detail(x / SIDE) < 1e-6


def test_the_spectrum_of_a_wave_peaks_in_the_ring_of_its_frequency() -> None:
    wave = np.tile(0.5 + 0.4 * np.sin(2 * np.pi * 17 * np.arange(SIDE) / SIDE), (SIDE, 1))
    assert log_power(wave).argmax() == 7  # the ring from 15 to 20


def test_blur_and_flatness_cost_real_images_in_the_readers_taste(
    held_out: list[np.ndarray],
) -> None:
    plain = np.mean([readers_taste(image) for image in held_out])
    blurred = np.mean([readers_taste(gaussian_filter(image, 1.5)) for image in held_out])
    flat = np.mean([readers_taste(0.5 + 0.5 * (image - 0.5)) for image in held_out])
    assert plain > blurred + 0.3
    assert plain > flat + 0.3


def test_the_second_taste_likes_real_images_and_neither_blur_nor_noise(
    held_out: list[np.ndarray],
) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (SIDE, SIDE))
    plain = np.mean([second_taste(image) for image in held_out])
    assert plain > 4
    assert plain > np.mean([second_taste(gaussian_filter(image, 1.5)) for image in held_out]) + 0.5
    assert plain > np.mean([second_taste(np.clip(image + noise, 0, 1)) for image in held_out]) + 0.5


def test_the_second_taste_does_not_see_what_the_first_one_looks_at() -> None:
    image = np.random.default_rng(0).random((SIDE, SIDE))
    assert second_taste(image[:, ::-1]) == pytest.approx(second_taste(image), abs=1e-6)
    assert second_taste(image[::-1]) == pytest.approx(second_taste(image), abs=1e-6)


def test_a_tie_is_half_a_win() -> None:
    rate = win_rate([1, 2, 3, 3], [0, 3, 3, 3], prompts=["a", "a", "b", "b"])
    assert rate.share == pytest.approx((1 + 0 + 0.5 + 0.5) / 4)
    assert (rate.pairs, rate.prompts) == (4, 2)


def test_the_interval_is_over_prompts_not_over_images() -> None:
    # Ten prompts of which six always win: the images of a prompt add no certainty.
    prompts = [f"{n}" for n in range(10) for _ in range(50)]
    wins = [float(n < 6) for n in range(10) for _ in range(50)]
    rate = win_rate(wins, [0.5] * 500, prompts=prompts)
    assert rate.share == pytest.approx(0.6)
    # The binomial distribution of 10 draws at 0.6 has its 2.5 % and 97.5 % quantiles at 3 and 9.
    assert (rate.low, rate.high) == pytest.approx((0.3, 0.9))


def test_wilsons_interval_by_hand() -> None:
    # z = 1.96: (4 + 1.92) / 15.84 -+ 1.96 * sqrt(4 * 8 / 12 + 0.96) / 15.84
    assert wilson(4, 12) == pytest.approx((0.138, 0.609), abs=5e-4)
    low, high = wilson(0, 12, level=0.99)
    assert (low, high > 0.3) == (0.0, True)


def test_prompts_that_agree_by_chance_are_not_surer_than_their_pairs() -> None:
    """Four prompts with one win in three pairs each."""
    prompts = [prompt for prompt in "abcd" for _ in range(3)]
    won = win_rate([1.0, 0.0, 0.0] * 4, [0.5] * 12, prompts=prompts)
    assert won.low == won.high == pytest.approx(1 / 3)
    wide = no_narrower_than_chance(won, level=0.95)
    assert wide.low < 0.2
    assert wide.high > 0.5
    lost = win_rate([0.0] * 12, [0.5] * 12, prompts=prompts)
    assert no_narrower_than_chance(lost, level=1 - 0.05 / 6).high < 0.5

"""The preference losses, against values computed by hand."""

import math

import pytest
import torch

from generation.errors import RemediableError
from generation.preferences.losses import PairErrors, dpo_margin, dpo_paper, noise_error

SCORES = {"winner_score": torch.tensor([5.0]), "loser_score": torch.tensor([2.0])}
ERRORS = PairErrors(
    winner=torch.tensor([0.10]),
    loser=torch.tensor([0.30]),
    reference_winner=torch.tensor([0.12]),
    reference_loser=torch.tensor([0.29]),
)
"""D_w = -0.02 and D_l = 0.01."""


def test_the_papers_loss_weighs_each_rise_by_its_rank_inside_the_sigmoid() -> None:
    # (5/5)(-0.02) - (2/5)(0.01) = -0.024; -log sigmoid(50 * 0.024) = log(1 + e^-1.2)
    loss = dpo_paper(ERRORS, beta=100.0, **SCORES)
    assert loss.item() == pytest.approx(0.263282, abs=1e-5)


def test_the_papers_loss_ignores_a_loser_scored_nothing() -> None:
    loser = torch.tensor([0.30], requires_grad=True)
    errors = PairErrors(
        winner=ERRORS.winner,
        loser=loser,
        reference_winner=ERRORS.reference_winner,
        reference_loser=ERRORS.reference_loser,
    )
    scores = {"winner_score": torch.tensor([2.0]), "loser_score": torch.tensor([0.0])}
    dpo_paper(errors, beta=100.0, **scores).backward()
    assert loser.grad is not None
    assert loser.grad.item() == 0


def test_the_margin_loss_weighs_outside_the_sigmoid_and_adds_the_winners_error() -> None:
    # weight (3/5) * 0.5 = 0.3; -log sigmoid(50 * 0.03) = log(1 + e^-1.5) = 0.201413;
    # 0.3 * 0.201413 + 0.2 * 0.10 = 0.080424
    loss = dpo_margin(
        ERRORS, beta=100.0, reliability=torch.tensor([0.5]), denoising_weight=0.2, **SCORES
    )
    assert loss.item() == pytest.approx(0.080424, abs=1e-5)


def test_the_margin_loss_is_the_mean_over_pairs() -> None:
    errors = PairErrors(**{name: value.repeat(2) for name, value in vars(ERRORS).items()})
    loss = dpo_margin(
        errors,
        winner_score=torch.tensor([5.0, 1.0]),
        loser_score=torch.tensor([2.0, 0.0]),
        reliability=torch.ones(2),
        beta=100.0,
        denoising_weight=0.0,
    )
    assert loss.item() == pytest.approx((0.6 + 0.2) / 2 * math.log(1 + math.exp(-1.5)), abs=1e-5)


def test_without_any_change_to_the_network_the_paper_loss_is_log_two() -> None:
    errors = PairErrors(
        winner=ERRORS.winner,
        loser=ERRORS.loser,
        reference_winner=ERRORS.winner,
        reference_loser=ERRORS.loser,
    )
    assert dpo_paper(errors, beta=5_000.0, **SCORES).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction", "sample"])
def test_every_prediction_type_gives_the_same_noise_error(prediction_type: str) -> None:
    generator = torch.Generator().manual_seed(1)
    clean, noise, guess = (torch.randn(3, 2, 4, 4, generator=generator) for _ in range(3))
    alpha = torch.tensor([0.3, 0.6, 0.95])
    sigma = (1 - alpha.square()).sqrt()
    a, s = alpha.view(-1, 1, 1, 1), sigma.view(-1, 1, 1, 1)
    noisy = a * clean + s * noise
    # ``guess`` is the noise that the network believes in, whatever it is asked for.
    clean_guess = (noisy - s * guess) / a
    prediction, target = {
        "epsilon": (guess, noise),
        "v_prediction": (a * guess - s * clean_guess, a * noise - s * clean),
        "sample": (clean_guess, clean),
    }[prediction_type]
    error = noise_error(
        prediction, target, alpha=alpha, sigma=sigma, prediction_type=prediction_type
    )
    direct = (guess - noise).square().flatten(1).mean(1)
    torch.testing.assert_close(error, direct, rtol=1e-4, atol=1e-5)


def test_a_velocity_gives_the_noise_that_salimans_and_ho_say() -> None:
    alpha, sigma = 0.8, 0.6
    clean, noise = 0.5, -1.0
    velocity = alpha * noise - sigma * clean
    noisy = alpha * clean + sigma * noise
    assert alpha * velocity + sigma * noisy == pytest.approx(noise)


def test_an_unknown_prediction_type_is_named() -> None:
    with pytest.raises(RemediableError, match="'flow'"):
        noise_error(
            torch.zeros(1, 1, 1, 1),
            torch.zeros(1, 1, 1, 1),
            alpha=torch.ones(1),
            sigma=torch.ones(1),
            prediction_type="flow",
        )

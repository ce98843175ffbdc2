"""The preference losses, against values computed by hand."""

import math
from typing import Any

import pytest
import torch

from generation.errors import RemediableError
from generation.preferences.losses import (
    PairErrors,
    PairGradients,
    dpo_margin,
    dpo_paper,
    draft,
    kto,
    noise_error,
    reward_weighted,
    reward_weights,
    safeguard,
)

NAN = float("nan")


def double(*values: object) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


SCORES: dict[str, Any] = {"winner_score": double(5.0), "loser_score": double(2.0)}
ERRORS = PairErrors(
    winner=double(0.10),
    loser=double(0.30),
    reference_winner=double(0.12),
    reference_loser=double(0.29),
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
    scores: dict[str, Any] = {
        "winner_score": torch.tensor([2.0]),
        "loser_score": torch.tensor([0.0]),
    }
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


def test_the_margin_loss_practises_on_real_images_too() -> None:
    # 0.6 * 0.201413 + 0.2 * (0.10 + (0.05 + 0.15) / 2) = 0.160848
    loss = dpo_margin(
        ERRORS,
        beta=100.0,
        reliability=double(1.0),
        denoising_weight=0.2,
        real=double(0.05, 0.15),
        **SCORES,
    )
    assert loss.item() == pytest.approx(0.160848, abs=1e-6)


TWO_AXES: dict[str, Any] = {"winner_score": double([5.0, 1.0]), "loser_score": double([2.0, 3.0])}
"""On the second axis the loser is the better one, by two points."""


def test_every_axis_has_its_own_winner_in_the_margin_loss() -> None:
    # 0.6 log(1 + e^-1.5) and 0.4 log(1 + e^1.5), halved: (0.120848 + 0.680565) / 2
    loss = dpo_margin(ERRORS, beta=100.0, reliability=double(1.0), denoising_weight=0.0, **TWO_AXES)
    assert loss.item() == pytest.approx(0.400707, abs=1e-6)


def test_the_papers_loss_is_the_mean_of_both_axes() -> None:
    # 0.263282 and, with -(1/5)(-0.02) + (3/5)(0.01) = 0.01, log(1 + e^0.5) = 0.974077
    loss = dpo_paper(ERRORS, beta=100.0, **TWO_AXES)
    assert loss.item() == pytest.approx((0.263282 + 0.974077) / 2, abs=1e-6)


def test_an_axis_that_was_not_asked_about_counts_nothing() -> None:
    scores: dict[str, Any] = {"winner_score": double([5.0, NAN]), "loser_score": double([2.0, NAN])}
    assert dpo_paper(ERRORS, beta=100.0, **scores).item() == pytest.approx(0.263282, abs=1e-6)


def test_a_tie_on_an_axis_is_a_constant_in_the_papers_loss_and_nothing_in_the_margins() -> None:
    tied: dict[str, Any] = {"winner_score": double([5.0, 3.0]), "loser_score": double([2.0, 3.0])}
    paper = dpo_paper(ERRORS, beta=100.0, **tied).item()
    assert paper == pytest.approx((0.263282 + math.log(2)) / 2, abs=1e-6)
    margin = dpo_margin(
        ERRORS, beta=100.0, reliability=double(1.0), denoising_weight=0.0, **tied
    ).item()
    assert margin == pytest.approx(0.120848 / 2, abs=1e-6)


@pytest.mark.parametrize(
    ("winner", "loser", "share"),
    [
        ([3.0, 1.0], [1.0, 1.0], 0.25),  # 0.1 * 10 / 4
        ([1.0, 0.0], [0.05, 2.0], 1.0),  # 0.1 * 1 / 0.05 = 2, at most 1
        ([1.0, 0.0], [-1.0, 2.0], 1.0),  # they do not agree in direction
        ([1.0, 0.0], [0.0, 2.0], 1.0),
    ],
)
def test_the_loser_is_held_back_where_it_would_push_the_winner_up(
    winner: list[float], loser: list[float], share: float
) -> None:
    found = PairGradients.of(double(winner), double(loser))
    given = safeguard(winner_squared=found.winner_squared, inner=found.inner)
    assert given.item() == pytest.approx(share)


def outputs_and_errors() -> tuple[torch.Tensor, torch.Tensor, PairErrors, PairGradients]:
    """A winner's and a loser's output of three values each, off alike."""
    winner = torch.tensor([[0.3, 0.1, 0.2]], dtype=torch.float64, requires_grad=True)
    loser = torch.tensor([[1.2, 0.9, 0.4]], dtype=torch.float64, requires_grad=True)
    errors = PairErrors(
        winner=winner.square().mean(1),
        loser=loser.square().mean(1),
        reference_winner=double(0.06),
        reference_loser=double(0.70),
    )
    return winner, loser, errors, PairGradients.of(winner.detach(), loser.detach())


@pytest.mark.parametrize("loss", [dpo_paper, dpo_margin])
def test_a_safeguarded_step_lowers_the_winners_error_to_first_order(loss: object) -> None:
    def change_of_winner(*, is_safeguarded: bool) -> float:
        winner, loser, errors, gradients = outputs_and_errors()
        options = {} if loss is dpo_paper else {"reliability": double(1.0), "denoising_weight": 0.0}
        loss(  # type: ignore[operator]
            errors, beta=10.0, gradients=gradients if is_safeguarded else None, **SCORES, **options
        ).backward()
        assert winner.grad is not None
        assert loser.grad is not None
        step = -(winner.grad + loser.grad)  # outputs of one network move together
        return (2 / 3 * winner.detach() * step).sum().item()

    assert change_of_winner(is_safeguarded=False) > 0
    assert change_of_winner(is_safeguarded=True) < 0


def test_the_safeguard_leaves_the_loss_as_it_is() -> None:
    _, _, errors, gradients = outputs_and_errors()
    guarded = dpo_paper(errors, beta=10.0, gradients=gradients, **TWO_AXES)
    assert guarded.item() == pytest.approx(dpo_paper(errors, beta=10.0, **TWO_AXES).item())


def test_the_reward_weight_falls_by_e_for_every_temperature_below_five() -> None:
    scores = double([5.0, NAN], [4.0, NAN], [5.0, 4.0], [4.0, 4.0], [NAN, NAN])
    accepted = double(NAN, NAN, NAN, 0.0, 1.0)
    weights = reward_weights(scores, accepted, temperature=0.5)
    e = math.exp(-2)
    assert weights.tolist() == pytest.approx([1, e, (1 + e) / 2, 0, 1])


def test_the_reward_weighted_loss_adds_real_images_at_weight_one() -> None:
    errors, weight = double(0.2, 0.4), double(1.5, 0.5)
    # (0.3 + 0.2) / 2 = 0.25, and (0.1 + 0.3) / 2 more
    assert reward_weighted(errors, weight=weight).item() == pytest.approx(0.25)
    with_real = reward_weighted(errors, weight=weight, real=double(0.1, 0.3))
    assert with_real.item() == pytest.approx(0.45)


def test_kto_compares_the_gain_with_its_reference_point_by_either_sign() -> None:
    # gains 0.02 and -0.01, z 0.005: 1 - sigmoid(1.5) = 0.182426; bad: 1 - sigmoid(1.5) too
    loss = kto(
        double(-0.02, 0.01),
        is_good=double(1.0, 0.0),
        weight=double(1.0, 0.5),
        reference_point=double(0.005)[0],
        beta=100.0,
    )
    assert loss.item() == pytest.approx((1 + 0.5) * 0.182426 / 2, abs=1e-6)


def test_kto_takes_the_mean_over_the_axes_that_were_asked_about() -> None:
    # good on one axis and bad on the other: (1 - sigmoid(x) + 1 - sigmoid(-x)) / 2 = 1 / 2
    loss = kto(
        double(-0.02, -0.02),
        is_good=double([1.0, 0.0], [1.0, NAN]),
        weight=double(1.0, 1.0),
        reference_point=double(0.0)[0],
        beta=100.0,
    )
    assert loss.item() == pytest.approx((0.5 + 0.119203) / 2, abs=1e-6)


def test_draft_climbs_the_reward_and_pays_for_leaving_the_reference() -> None:
    # -(1 + 3) / 2 + 10 * mean(0.01, 0.04) = -1.75
    loss = draft(
        double(1.0, 3.0),
        prediction=double([0.1], [0.5]),
        reference=double([0.2], [0.3]),
        anchor_weight=10.0,
    )
    assert loss.item() == pytest.approx(-1.75)


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

"""Losses of learning from readings, as pure functions of noise errors.

The formulas are written for the error of the predicted noise. Everything here is
float32 or wider: beta multiplies differences of errors by thousands.

Beta is per mean error over a latent's values, so it does not depend on their number in
form, but it does in meaning: the bound on the divergence from the reference that it
stands for is over the sum. Published values (2000 to 5000) are for latents of 4 x 64 x 64;
at the 4 x 32 x 32 of the bundled model the same divergence would be had at a quarter of
them. The default keeps 2000: on that model differences of errors reach some 1e-4 within
the default number of steps, where beta / 2 times them is still below one, the sigmoid is
in its straight part, and beta acts as a gain only.
"""

from dataclasses import dataclass
from typing import Self

import torch
from torch.nn.functional import logsigmoid

from generation.errors import RemediableError

SCORE_MAX = 5.0
SAFEGUARD = 0.9
"""mu of Diffusion-SDPO: how much of the winner's own progress is kept at least."""


@dataclass(frozen=True, kw_only=True)
class PairErrors:
    """They are noise errors of the winners and losers of N pairs, each a float tensor of shape N.

    The ``reference`` ones are those of the same network with its adapter switched off,
    on the same noise and timestep.
    """

    winner: torch.Tensor
    loser: torch.Tensor
    reference_winner: torch.Tensor
    reference_loser: torch.Tensor

    @property
    def winner_rise(self) -> torch.Tensor:
        """D_w: by how much the winners' error lies above the reference's; shape N."""
        return self.winner - self.reference_winner

    @property
    def loser_rise(self) -> torch.Tensor:
        """D_l; shape N."""
        return self.loser - self.reference_loser


def noise_error(
    prediction: torch.Tensor,
    target: torch.Tensor,
    *,
    alpha: torch.Tensor,
    sigma: torch.Tensor,
    prediction_type: str,
    weight: torch.Tensor | None = None,
) -> torch.Tensor:
    """Mean squared error of the predicted noise, per image.

    ``prediction`` and ``target`` (N x C x H x W) are what the network gives and should
    give at x_t = alpha x_0 + sigma eps; ``alpha`` and ``sigma`` have shape N, with
    alpha^2 + sigma^2 = 1. From v = alpha eps - sigma x_0 follows
    eps = alpha v + sigma x_t, so a v error is alpha times smaller as a noise error
    (Salimans and Ho 2022, arXiv 2202.00512, appendix D); from x_0 it is alpha / sigma.
    ``weight`` (N x H x W, mean 1 an image) says what the error of each place counts for.
    """
    off = (widened(prediction) - widened(target)).square()
    squared = (off if weight is None else off * weight[:, None]).flatten(1).mean(1)
    return noise_scale(alpha, sigma, prediction_type=prediction_type).square() * squared


def noise_scale(alpha: torch.Tensor, sigma: torch.Tensor, *, prediction_type: str) -> torch.Tensor:
    """Give the factor that turns the error of a prediction into one of the noise; shape N."""
    if prediction_type == "epsilon":
        return torch.ones_like(alpha)
    if prediction_type == "v_prediction":
        return alpha
    if prediction_type == "sample":
        return alpha / sigma
    raise RemediableError(
        f"the model predicts {prediction_type!r}, of which no noise error is known",
        remedy="Fine-tune a model that predicts epsilon, v_prediction or sample.",
    )


def widened(values: torch.Tensor) -> torch.Tensor:
    """Widen values to float32, or leave them where they are wider."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


@dataclass(frozen=True, kw_only=True)
class PairGradients:
    """How the errors' gradients with respect to the network's output lie to each other.

    Squared norms and inner product of the winner's and the loser's, each of shape N.
    """

    winner_squared: torch.Tensor
    loser_squared: torch.Tensor
    inner: torch.Tensor

    @classmethod
    def of(cls, winner: torch.Tensor, loser: torch.Tensor) -> Self:
        """Compare the gradients, N x C x H x W each, known up to a common factor a pair."""
        winner, loser = widened(winner).flatten(1), widened(loser).flatten(1)
        return cls(
            winner_squared=winner.square().sum(1),
            loser_squared=loser.square().sum(1),
            inner=(winner * loser).sum(1),
        )


def safeguard(
    *, winner_squared: torch.Tensor, inner: torch.Tensor, mu: float = SAFEGUARD
) -> torch.Tensor:
    """Give the factor on the loser's gradient by which the winner's error does not rise.

    clip((1 - mu) ||g_w||^2 / <g_l, g_w>, 0, 1) where the two agree in direction, else 1
    (Diffusion-SDPO). A step against g_w - lambda g_l in the space of outputs then lowers
    the winner's error, to first order, by at least mu of what g_w alone would.
    """
    allowed = (1 - mu) * winner_squared / inner.clamp_min(torch.finfo(inner.dtype).tiny)
    return torch.where(inner > 0, allowed.clamp(0, 1), 1.0)


def dpo_paper(
    errors: PairErrors,
    *,
    winner_score: torch.Tensor,
    loser_score: torch.Tensor,
    beta: float,
    gradients: PairGradients | None = None,
) -> torch.Tensor:
    """Returns the rank-weighted loss of Prakash et al. 2024 (arXiv 2411.18602), averaged over N
    pairs.

    -log sigmoid(-(beta / 2) [(r_w / 5) D_w - (r_l / 5) D_l]), with scores r from 0 to 5
    inside the sigmoid, of shape N, or N x A for several axes: the loss is then the mean
    over the axes that were asked about (others are NaN), on each of which the image of
    the higher score is the winner; a tie gives log 2. A loser scored 0 contributes
    nothing, and 5 against 4 pushes harder than 2 against 0: this is why it is not the
    default. With ``gradients`` the losers are kept in check (``safeguard``).
    """
    scores = _Scores.of(winner_score, loser_score)
    winner_rise, loser_rise = _rises(errors, scores, gradients, are_weighted=True)
    weighted = scores.sign * (scores.winner * winner_rise - scores.loser * loser_rise) / SCORE_MAX
    return scores.mean(-logsigmoid(-beta / 2 * weighted)).mean()


def dpo_margin(
    errors: PairErrors,
    *,
    winner_score: torch.Tensor,
    loser_score: torch.Tensor,
    reliability: torch.Tensor,
    beta: float,
    denoising_weight: float,
    gradients: PairGradients | None = None,
    real: torch.Tensor | None = None,
) -> torch.Tensor:
    """Diffusion-DPO (Wallace et al. 2023, arXiv 2311.12908) weighted by margin; the default.

    Each pair's -log sigmoid(-(beta / 2) (D_w - D_l)) is multiplied, outside, by
    (r_w - r_l) / 5 and by the reader's reliability (0 to 1, shape N). Scores are of shape
    N, or N x A as in ``dpo_paper``; a tie on an axis counts nothing. To the mean over the
    N pairs is added ``denoising_weight`` times the winners' mean noise error, and the
    same of ``real`` images (errors of shape M), which keeps the network close to what it
    denoises well. With ``gradients`` the losers are kept in check (``safeguard``).
    """
    scores = _Scores.of(winner_score, loser_score)
    winner_rise, loser_rise = _rises(errors, scores, gradients, are_weighted=False)
    margin = (scores.winner - scores.loser).abs() / SCORE_MAX
    terms = -margin * logsigmoid(-beta / 2 * scores.sign * (winner_rise - loser_rise))
    practice = errors.winner.mean() if real is None else errors.winner.mean() + real.mean()
    return (reliability * scores.mean(terms)).mean() + denoising_weight * practice


def reward_weights(
    scores: torch.Tensor, accepted: torch.Tensor, *, temperature: float
) -> torch.Tensor:
    """w(r) = exp((r - 5) / temperature), from 0 to 1, in the mean over an image's axes.

    ``scores`` are N x A with NaN where nothing was asked, ``accepted`` N with 1, 0, or
    NaN where nothing was said outright. What was rejected weighs nothing; what was
    accepted without a score weighs as much as a 5, and so does a real image.
    """
    weight = (~scores.isnan()).to(scores.dtype)
    graded = ((scores.nan_to_num() - SCORE_MAX) / temperature).exp() * weight
    count = weight.sum(1)
    mean = torch.where(count > 0, graded.sum(1) / count.clamp_min(1), 1.0)
    return torch.where(accepted == 0, 0.0, mean)


def reward_weighted(
    errors: torch.Tensor, *, weight: torch.Tensor, real: torch.Tensor | None = None
) -> torch.Tensor:
    """Reward-weighted likelihood (Sun et al. 2023, arXiv 2306.12438).

    The mean of w(r) ||eps - eps_theta||^2 over N rated images (``weight`` from
    ``reward_weights`` times reliability, scaled to a mean of 1 over all there are), plus
    the mean error of M real images, which weigh 1 each.
    """
    loss = (weight * errors).mean()
    return loss if real is None else loss + real.mean()


def kto(
    rises: torch.Tensor,
    *,
    is_good: torch.Tensor,
    weight: torch.Tensor,
    reference_point: torch.Tensor,
    beta: float,
) -> torch.Tensor:
    """Diffusion-KTO (Li et al. 2024, arXiv 2404.04465), averaged over N images.

    w [1 - sigmoid(+-beta (g - z))] with the gain g = e_ref - e, that is minus ``rises``
    (shape N); plus for a good image, minus for a bad one. ``is_good`` is N, or N x A with
    1, 0 and NaN for the axes that were not asked about, in the mean over the others;
    ``weight`` is of either shape.
    ``reference_point`` z is a number without gradient that the gain is compared with.
    """
    is_good = is_good if is_good.ndim == 2 else is_good[:, None]
    sign = torch.where(is_good == 1, 1.0, -1.0)
    terms = 1 - torch.sigmoid(sign * beta * (-rises[:, None] - reference_point))
    weight = weight if weight.ndim == 2 else weight[:, None]
    return _mean_known(weight * terms, ~is_good.isnan()).mean()


def draft(
    rewards: torch.Tensor,
    *,
    prediction: torch.Tensor,
    reference: torch.Tensor,
    anchor_weight: float,
) -> torch.Tensor:
    """DRaFT (Clark et al. 2023, arXiv 2309.17400) with an anchor to the reference.

    Minus the mean reward (shape N, with gradients through the last step of sampling),
    plus ``anchor_weight`` times the mean squared difference of the predictions (each
    M x C x H x W), to which the divergence of two denoisers is proportional.
    """
    return -widened(rewards).mean() + anchor_weight * anchor(prediction, reference)


def anchor(prediction: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    return (widened(prediction) - widened(reference)).square().mean()


@dataclass(frozen=True)
class _Scores:
    """Scores of N pairs on A axes, N x A; NaN where an axis was not asked about."""

    winner: torch.Tensor
    loser: torch.Tensor
    known: torch.Tensor

    @classmethod
    def of(cls, winner: torch.Tensor, loser: torch.Tensor) -> Self:
        if winner.ndim == 1:
            winner, loser = winner[:, None], loser[:, None]
        return cls(winner.nan_to_num(), loser.nan_to_num(), ~winner.isnan())

    @property
    def sign(self) -> torch.Tensor:
        """Minus 1 where the pair's loser is the better one on an axis, 0 for a tie."""
        return (self.winner - self.loser).sign()

    def mean(self, terms: torch.Tensor) -> torch.Tensor:
        """Over the axes; shape N."""
        return _mean_known(terms, self.known)


def _mean_known(terms: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    return torch.where(known, terms, 0).sum(1) / known.sum(1)


def _rises(
    errors: PairErrors, scores: _Scores, gradients: PairGradients | None, *, are_weighted: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns D_w and D_l for every axis, N x A; whichever lost on it passes on a part of its
    gradient.

    The rank-weighted loss pulls at each image by its own score, and so is what the
    safeguard compares.
    """
    winner_rise, loser_rise = errors.winner_rise[:, None], errors.loser_rise[:, None]
    if gradients is None:
        return winner_rise, loser_rise
    pull_w, pull_l = (scores.winner, scores.loser) if are_weighted else (1.0, 1.0)
    inner = pull_w * pull_l * gradients.inner[:, None].expand_as(scores.winner)
    of_loser = safeguard(winner_squared=pull_w**2 * gradients.winner_squared[:, None], inner=inner)
    of_winner = safeguard(winner_squared=pull_l**2 * gradients.loser_squared[:, None], inner=inner)
    return (
        _passing_on(winner_rise, torch.where(scores.sign < 0, of_winner, 1.0)),
        _passing_on(loser_rise, torch.where(scores.sign > 0, of_loser, 1.0)),
    )


def _passing_on(values: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Give the same values, with a share of their gradient."""
    return share * values + (1 - share) * values.detach()

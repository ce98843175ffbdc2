"""Preference losses, as pure functions of noise errors.

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

import torch
from torch.nn.functional import logsigmoid

from generation.errors import RemediableError

SCORE_MAX = 5.0


@dataclass(frozen=True, kw_only=True)
class PairErrors:
    """Noise errors of the winners and losers of N pairs, each a float tensor of shape N.

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
) -> torch.Tensor:
    """Mean squared error of the predicted noise, per image.

    ``prediction`` and ``target`` (N x C x H x W) are what the network gives and should
    give at x_t = alpha x_0 + sigma eps; ``alpha`` and ``sigma`` have shape N, with
    alpha^2 + sigma^2 = 1. From v = alpha eps - sigma x_0 follows
    eps = alpha v + sigma x_t, so a v error is alpha times smaller as a noise error
    (Salimans and Ho 2022, arXiv 2202.00512, appendix D); from x_0 it is alpha / sigma.
    """
    squared = (prediction.float() - target.float()).square().flatten(1).mean(1)
    if prediction_type == "epsilon":
        return squared
    if prediction_type == "v_prediction":
        return alpha.square() * squared
    if prediction_type == "sample":
        return (alpha / sigma).square() * squared
    raise RemediableError(
        f"the model predicts {prediction_type!r}, of which no noise error is known",
        remedy="Fine-tune a model that predicts epsilon, v_prediction or sample.",
    )


def dpo_paper(
    errors: PairErrors, *, winner_score: torch.Tensor, loser_score: torch.Tensor, beta: float
) -> torch.Tensor:
    """The rank-weighted loss of Prakash et al. 2024 (arXiv 2411.18602), averaged over N pairs.

    -log sigmoid(-(beta / 2) [(r_w / 5) D_w - (r_l / 5) D_l]), with scores r from 0 to 5
    (shape N) inside the sigmoid. A loser scored 0 therefore contributes nothing, and 5
    against 4 pushes harder than 2 against 0: this is why it is not the default.
    """
    weighted = (winner_score * errors.winner_rise - loser_score * errors.loser_rise) / SCORE_MAX
    return -logsigmoid(-beta / 2 * weighted).mean()


def dpo_margin(
    errors: PairErrors,
    *,
    winner_score: torch.Tensor,
    loser_score: torch.Tensor,
    reliability: torch.Tensor,
    beta: float,
    denoising_weight: float,
) -> torch.Tensor:
    """Diffusion-DPO (Wallace et al. 2023, arXiv 2311.12908) weighted by margin; the default.

    Each pair's -log sigmoid(-(beta / 2) (D_w - D_l)) is multiplied, outside, by
    (r_w - r_l) / 5 and by the reader's reliability (0 to 1, shape N); to the mean over
    the N pairs is added ``denoising_weight`` times the winners' mean noise error, which
    keeps the network close to what it denoises well.
    """
    weight = (winner_score - loser_score) / SCORE_MAX * reliability
    preference = -weight * logsigmoid(-beta / 2 * (errors.winner_rise - errors.loser_rise))
    return preference.mean() + denoising_weight * errors.winner.mean()

"""The differentiable rewards that DRaFT climbs: a reward model, or what a snapshot's scores give.

The latter is a ridge regression from the frozen CXR features of a base model to the readers'
mean scores: few numbers to learn, so few ways to be fooled, and yet a network can fool it.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from torch import nn

from generation.errors import RemediableError
from generation.measures.features import FeatureNet, features_of, fit_side
from generation.preferences.objectives import Reward
from generation.rewards.conditions import embed_prompts
from generation.rewards.reward_model import RewardModel
from generation.specs import Rating
from generation.training.images import read_grey

PENALTIES = (1.0, 10.0, 100.0, 1_000.0)
FOLDS = 5
FEWEST_IMAGES = 20
FEWEST_PROMPTS = 5


class Ridge(nn.Module):
    """Scores from features, N x D to N: a weight for each, after scaling, and a bias."""

    def __init__(
        self, middle: torch.Tensor, spread: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor
    ) -> None:
        super().__init__()
        self.middle = nn.Buffer(middle)
        self.spread = nn.Buffer(spread)
        self.weight = nn.Buffer(weight)
        self.bias = nn.Buffer(bias)

    @classmethod
    def fit(cls, features: torch.Tensor, scores: torch.Tensor, *, penalty: float) -> "Ridge":
        """Minimise squares plus ``penalty`` times the squared weights; N x D features, N scores."""
        middle, spread = features.mean(0), features.std(0).clamp_min(1e-6)
        scaled, bias = (features - middle) / spread, scores.mean()
        inner = scaled.T @ scaled + penalty * torch.eye(features.shape[1], dtype=features.dtype)
        weight = torch.linalg.solve(inner, scaled.T @ (scores - bias))
        return cls(middle, spread, weight, bias)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = (features - self.middle) / self.spread @ self.weight + self.bias
        return scores


class ReadersReward(nn.Module):
    """The score that readers would give pictures, N x 1 x H x W in [-1, 1]; shape N.

    ``heldout_correlation`` is that between scores and predictions for images whose
    prompts the regression had not seen.
    """

    def __init__(self, net: FeatureNet, ridge: Ridge, *, heldout_correlation: float) -> None:
        super().__init__()
        self.net = net.requires_grad_(False).eval()
        self.ridge = ridge
        self.heldout_correlation = heldout_correlation

    def forward(self, pictures: torch.Tensor, prompt: torch.Tensor) -> torch.Tensor:
        """Give the score, whatever the prompt."""
        features, _ = self.net(fit_side(pictures.float()))
        scores: torch.Tensor = self.ridge(features)
        return scores


class ForetoldScore(nn.Module):
    """The score that a reward model gives pictures, N x 1 x H x W in [-1, 1]; shape N.

    ``prompt`` has the place of each picture's text among ``texts``; None is no text.
    """

    def __init__(self, model: RewardModel, texts: Sequence[str | None]) -> None:
        super().__init__()
        self.model = model
        self.parts = nn.ModuleList([model.trunk.module, model.heads]).requires_grad_(False).eval()
        self.conditions = nn.Buffer(embed_prompts([text or "" for text in texts]))

    def forward(self, pictures: torch.Tensor, prompt: torch.Tensor) -> torch.Tensor:
        return self.model.score(pictures.float(), self.conditions[prompt])


def learn_reward(net: FeatureNet, ratings: Sequence[Rating]) -> ReadersReward:
    """Fit on all scores; the penalty is the one that foretells unseen prompts best."""
    given: dict[tuple[str, str], list[float]] = defaultdict(list)
    for rating in ratings:
        if rating.scores:
            given[rating.image, rating.prompt].append(mean(rating.scores.values()))
    prompts = [prompt for _, prompt in given]
    if len(given) < FEWEST_IMAGES or len(set(prompts)) < FEWEST_PROMPTS:
        raise RemediableError(
            f"{len(given)} scored images of {len(set(prompts))} prompts are too few for a reward",
            remedy=f"Score at least {FEWEST_IMAGES} images of {FEWEST_PROMPTS} prompts, "
            "or choose a method without a reward.",
        )
    pictures = [read_grey(Path(image), side=128) for image, _ in given]
    features = features_of(net, pictures)
    scores = torch.tensor([mean(values) for values in given.values()])
    found = {
        penalty: heldout_correlation(features, scores, prompts, penalty=penalty)
        for penalty in PENALTIES
    }
    best = max(found, key=lambda penalty: found[penalty])
    ridge = Ridge.fit(features, scores, penalty=best)
    return ReadersReward(net, ridge, heldout_correlation=found[best])


def heldout_correlation(
    features: torch.Tensor, scores: torch.Tensor, prompts: Sequence[str], *, penalty: float
) -> float:
    """Correlate (Pearson) all scores with predictions from the images of other folds' prompts."""
    fold = {prompt: place % FOLDS for place, prompt in enumerate(sorted(set(prompts)))}
    folds = torch.tensor([fold[prompt] for prompt in prompts])
    predicted = torch.zeros_like(scores)
    for number in range(FOLDS):
        out = folds == number
        ridge = Ridge.fit(features[~out], scores[~out], penalty=penalty)
        predicted[out] = ridge(features[out])
    return float(torch.corrcoef(torch.stack([scores, predicted]))[0, 1].nan_to_num())


def through_decoder(pipeline: Any, reward: nn.Module) -> Reward:
    """Give the reward of latents: they are decoded, and made grey."""
    vae = pipeline.vae.requires_grad_(False)

    def of_latents(latents: torch.Tensor, prompt: torch.Tensor) -> torch.Tensor:
        decoded = vae.decode(latents.to(vae.dtype) / vae.config.scaling_factor).sample
        rewards: torch.Tensor = reward(decoded.mean(1, keepdim=True), prompt)
        return rewards

    return of_latents

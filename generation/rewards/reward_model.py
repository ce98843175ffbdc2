"""A reward model: the score that readers would give an image for its prompt.

Frozen features of the image and what its prompt asks for go through small heads. Each
head gives one utility s. Pairs follow Bradley and Terry (1952), P(a over b) =
sigmoid((s_a - s_b) / T); scores 0 to 5 follow a cumulative link (McCullagh 1980),
P(score > k) = sigmoid(s - threshold_k). The heads differ by the prompts they learnt
from, so where they disagree nobody has taught them.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from generation.rewards.conditions import CONDITION_SIZE, embed_prompts
from generation.rewards.trunks import Trunk, load_trunk
from generation.training.saving import read_network, save_network

NAME = "reward"
TRUNK_FOLDER = "trunk"
SCORE_MAX = 5


class Heads(nn.Module):
    """M heads side by side take features N x F and conditions N x C to utilities M x N."""

    middle: torch.Tensor
    spread: torch.Tensor

    def __init__(self, features: int, *, members: int, hidden: int) -> None:
        super().__init__()
        size = features + CONDITION_SIZE
        self.register_buffer("middle", torch.zeros(features))
        self.register_buffer("spread", torch.ones(features))
        self.first = nn.Parameter(torch.randn(members, size, hidden) / size**0.5)
        self.first_bias = nn.Parameter(torch.zeros(members, 1, hidden))
        self.last = nn.Parameter(torch.randn(members, hidden, 1) / hidden**0.5)
        self.lowest = nn.Parameter(torch.full((members, 1), -2.0))
        self.gaps = nn.Parameter(torch.zeros(members, SCORE_MAX - 1))

    def forward(self, features: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        scaled = (features - self.middle) / self.spread
        inputs = torch.cat([scaled, conditions], dim=1)  # N x (F + C)
        hidden = functional.gelu(inputs @ self.first + self.first_bias)  # M x N x H
        utilities: torch.Tensor = (hidden @ self.last)[..., 0]
        return utilities

    @property
    def thresholds(self) -> torch.Tensor:
        """The thresholds of the scores, M x 5, rise."""
        steps = functional.softplus(self.gaps).cumsum(1)
        return torch.cat([self.lowest, self.lowest + steps], dim=1)

    def exceedances(self, utilities: torch.Tensor) -> torch.Tensor:
        """Returns logits of P(score > k) for k = 0 to 4: M x N x 5."""
        return utilities[..., None] - self.thresholds[:, None, :]

    def scale_by(self, features: torch.Tensor) -> None:
        """Take middle and spread from the features N x F of what is trained on."""
        self.middle.copy_(features.mean(0))
        self.spread.copy_(features.std(0).clamp_min(1e-4))


@dataclass(frozen=True, kw_only=True)
class RewardConfig:
    """``trunk`` is a folder within the model's own, or ``package.module:callable``."""

    trunk: str
    features: int
    members: int
    hidden: int
    temperature: float


@dataclass(frozen=True)
class Prediction:
    """``score`` 0 to 5, the heads' mean; ``disagreement`` their standard deviation.

    Of two images, sigmoid of the difference of ``utility`` is how likely a reader is to
    like the first one better; ``utilities`` are the heads' own, of which it is the mean.
    """

    score: float
    disagreement: float
    utility: float
    utilities: tuple[float, ...]


class RewardModel:
    """It has heads on a trunk."""

    def __init__(self, trunk: Trunk, heads: Heads, config: RewardConfig) -> None:
        self.trunk = trunk
        self.heads = heads.eval()
        self.config = config

    def predict(self, images: Sequence[np.ndarray], prompts: Sequence[str]) -> list[Prediction]:
        """Predict what readers would give 8-bit grey images of any size for these prompts."""
        features, conditions = self.trunk.features(images), embed_prompts(list(prompts))
        scores = expected_scores(self.heads, features, conditions)
        with torch.no_grad():
            utilities = self.heads(features, conditions) / self.config.temperature
        columns = (scores.mean(0), scores.std(0, correction=0), utilities.mean(0), utilities.T)
        return [
            Prediction(
                score=score, disagreement=disagreement, utility=utility, utilities=tuple(of_heads)
            )
            for score, disagreement, utility, of_heads in zip(
                *(column.tolist() for column in columns), strict=True
            )
        ]

    def score(self, pictures: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        """Returns the heads' mean score of pictures N x 1 x H x W in [-1, 1], shape N, with
        gradients.
        """
        size = (self.trunk.side, self.trunk.side)
        inputs = functional.interpolate(pictures, size, mode="bilinear", antialias=True)
        return scores_of(self.heads, self.trunk.see(inputs), conditions).mean(0)

    @classmethod
    def load(cls, folder: Path) -> Self:
        config, weights = read_network(RewardConfig, folder, name=NAME, what="reward model")
        is_inside = config.trunk == TRUNK_FOLDER
        trunk = load_trunk(str(folder / TRUNK_FOLDER) if is_inside else config.trunk)
        heads = Heads(config.features, members=config.members, hidden=config.hidden)
        heads.load_state_dict(weights)
        return cls(trunk, heads, config)

    def save(self, folder: Path, *, trunk: str) -> None:
        """Save with a copy of the trunk's folder, so that it stands alone."""
        if Path(trunk).is_dir():
            shutil.copytree(trunk, folder / TRUNK_FOLDER, dirs_exist_ok=True)
        save_network(self.heads, self.config, folder, name=NAME)


@torch.no_grad()
def expected_scores(heads: Heads, features: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
    """Give each head's mean score, M x N, without gradients."""
    return scores_of(heads, features, conditions)


def scores_of(heads: Heads, features: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
    """Give each head's mean score, M x N: the sum over k of P(score > k)."""
    return heads.exceedances(heads(features, conditions)).sigmoid().sum(-1)

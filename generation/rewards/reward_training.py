"""Training the heads of a reward model, calibrating them, and saying how good they are."""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import expit
from scipy.stats import spearmanr
from torch.nn import functional

from generation.rewards.reward_model import SCORE_MAX, Heads, expected_scores
from generation.rewards.scored_pairs import GroupSplit, ScoredPairs
from generation.specs import RewardModelSpec
from generation.statistics.intervals import cluster_bootstrap
from generation.training.checkpoints import Report
from generation.training.loop import Figures, Plan, Trainee, train

BINS = 10
LOG_TEMPERATURES = (-3.0, 3.0)


class HeadsTrainee(Trainee):
    """The heads learn at once, each on its own draw of the training prompts."""

    def __init__(
        self,
        heads: Heads,
        scored: ScoredPairs,
        counts: Sequence[dict[int, float]],
        spec: RewardModelSpec,
    ) -> None:
        super().__init__(heads=heads)
        self.heads = heads
        self.scored = scored
        self.ordinal_weight = spec.ordinal_weight
        self.pair_weights = weights_of(scored.group, counts)  # M x P
        self.score_weights = weights_of(scored.rated_group, counts)  # M x S
        if spec.propensity_weighting:
            self.pair_weights = self.pair_weights * scored.pair_weight
            self.score_weights = self.score_weights * scored.score_weight

    def loss(self, step: int, generator: torch.Generator) -> tuple[torch.Tensor, Figures]:
        heads, scored = self.heads, self.scored
        utilities = heads(scored.features, scored.conditions)  # M x I
        pair_loss = bradley_terry(
            utilities[:, scored.winner] - utilities[:, scored.loser], self.pair_weights
        )
        score_loss = cumulative_link(
            heads.exceedances(utilities[:, scored.rated]), scored.score, self.score_weights
        )
        loss = pair_loss + self.ordinal_weight * score_loss
        return loss, {"pairs": pair_loss, "scores": score_loss}


def train_heads(
    scored: ScoredPairs, split: GroupSplit, spec: RewardModelSpec, *, report: Report
) -> Heads:
    """Fit every head on its own draw of the training prompts, all at once.

    It takes seconds, so nothing is kept of a training that is broken off.
    """
    generator = torch.Generator().manual_seed(spec.seed)
    torch.manual_seed(spec.seed)
    heads = Heads(scored.features.shape[1], members=spec.members, hidden=spec.hidden)
    trained = [index in split.training for index in scored.group.tolist()]
    used = torch.cat([scored.winner[trained], scored.loser[trained]]).unique()
    heads.scale_by(scored.features[used])
    counts = draw_groups(split.training, members=spec.members, generator=generator)
    plan = Plan(
        steps=spec.steps,
        seed=spec.seed,
        learning_rate=spec.learning_rate,
        weight_decay=spec.weight_decay,
    )
    train(HeadsTrainee(heads, scored, counts, spec), plan, checkpoint=None, report=report)
    return heads


def draw_groups(
    groups: frozenset[int], *, members: int, generator: torch.Generator
) -> list[dict[int, float]]:
    """Draw groups with replacement for each member, and count how often each came."""
    names = sorted(groups)
    drawn = []
    for _ in range(members):
        chosen = torch.randint(len(names), (len(names),), generator=generator)
        times = torch.bincount(chosen, minlength=len(names)).tolist()
        drawn.append(dict(zip(names, map(float, times), strict=True)))
    return drawn


def weights_of(groups: torch.Tensor, counts: Sequence[dict[int, float]]) -> torch.Tensor:
    """Say what each row counts for each member, M x N; 0 outside of what is trained on."""
    return torch.tensor([[count.get(group, 0.0) for group in groups.tolist()] for count in counts])


def bradley_terry(differences: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Weighted mean of -log sigmoid(s_winner - s_loser), M x P each, summed over members."""
    losses = -functional.logsigmoid(differences) * weights
    return (losses.sum(1) / weights.sum(1).clamp_min(1)).sum()


def cumulative_link(
    exceedances: torch.Tensor, scores: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Cross-entropy of (score > k), k = 0 to 4: logits M x S x 5, scores S, weights M x S.

    A mean over criteria is between two grades; it exceeds the upper one in part.
    """
    grades = torch.arange(SCORE_MAX, dtype=scores.dtype)
    targets = (scores[:, None] - grades).clamp(0, 1).expand_as(exceedances)
    losses = functional.binary_cross_entropy_with_logits(exceedances, targets, reduction="none")
    per_score = losses.mean(-1) * weights
    return (per_score.sum(1) / weights.sum(1).clamp_min(1)).sum()


@torch.no_grad()
def margins_of(heads: Heads, scored: ScoredPairs, groups: frozenset[int]) -> np.ndarray:
    """Mean utility of the winner less that of the loser, for the pairs of these groups."""
    utilities = heads(scored.features, scored.conditions).mean(0)
    chosen = [group in groups for group in scored.group.tolist()]
    margins: np.ndarray = (
        (utilities[scored.winner] - utilities[scored.loser])[chosen].double().numpy()
    )
    return margins


def fit_temperature(margins: np.ndarray) -> float:
    """Returns the temperature of the least cross-entropy of margins, all of which should be
    above 0.
    """

    def cross_entropy(log_temperature: float) -> float:
        return float(np.logaddexp(0, -margins / np.exp(log_temperature)).mean())

    found = minimize_scalar(cross_entropy, bounds=LOG_TEMPERATURES, method="bounded")
    return float(np.exp(found.x))


def expected_calibration_error(probabilities: np.ndarray) -> float:
    """Average over 10 bins the gap between the sureness of P(winner over loser) and accuracy.

    How sure the model is of the likelier side is max(p, 1 - p); it is right where p > 1/2.
    """
    sureness = np.maximum(probabilities, 1 - probabilities)
    right = probabilities > 0.5
    bins = np.minimum(((sureness - 0.5) * 2 * BINS).astype(int), BINS - 1)
    gaps = [
        abs(right[bins == number].mean() - sureness[bins == number].mean())
        * (bins == number).mean()
        for number in range(BINS)
        if (bins == number).any()
    ]
    return float(sum(gaps))


def rank_correlation(predicted: np.ndarray, given: np.ndarray) -> float:
    if len(np.unique(predicted)) < 2 or len(np.unique(given)) < 2:
        return float("nan")
    return float(spearmanr(predicted, given).statistic)


def heldout_figures(
    heads: Heads, scored: ScoredPairs, split: GroupSplit, *, temperature: float, seed: int
) -> dict[str, float]:
    """Pair accuracy, calibration and rank correlation with scores, on prompts of the test."""
    margins = margins_of(heads, scored, split.test)
    probabilities = expit(margins / temperature)
    groups = scored.group.numpy()
    tested = groups[np.isin(groups, sorted(split.test))]
    accuracy = cluster_bootstrap(lambda rows: float((margins[rows] > 0).mean()), tested, seed=seed)
    rated = np.isin(scored.rated_group.numpy(), sorted(split.test))
    predicted = expected_scores(heads, scored.features, scored.conditions).mean(0).numpy()
    predicted = predicted[scored.rated.numpy()][rated]
    given = scored.score.numpy()[rated]
    correlation = cluster_bootstrap(
        lambda rows: rank_correlation(predicted[rows], given[rows]),
        scored.rated_group.numpy()[rated],
        seed=seed,
    )
    figures = {
        "test_pairs": float(len(margins)),
        "test_groups": float(len(split.test)),
        "pair_accuracy": accuracy.value,
        "pair_accuracy_low": accuracy.low,
        "pair_accuracy_high": accuracy.high,
        "calibration_error": expected_calibration_error(probabilities),
        "rank_correlation": correlation.value,
        "rank_correlation_low": correlation.low,
        "rank_correlation_high": correlation.high,
    }
    return {name: value for name, value in figures.items() if np.isfinite(value)}

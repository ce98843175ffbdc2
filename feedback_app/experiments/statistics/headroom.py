"""How much there is to gain: from real images alone to what has most of them, and to the most.

A predictor that looks at no image stands beside them: a model below it has learnt nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from feedback_app.experiments.statistics.metrics import Metric
from feedback_app.experiments.statistics.predictions import Drawn, Outcome, Told

ALWAYS, NEVER = "always there", "never there"


@dataclass(frozen=True, kw_only=True)
class Headroom:
    """At one number of real images: their figure alone, with the most of them, and trivially.

    ``trivial`` names the best predictor that looks at no image.
    """

    real_size: int
    value: float
    with_most: float
    trivial: str
    trivial_value: float
    most: float | None

    @property
    def room(self) -> float | None:
        """What is missing to the most that the figure can be; None of a distance."""
        return None if self.most is None else self.most - self.value

    @property
    def is_trivial(self) -> bool:
        """Whether the model does no better than without a look at the image."""
        return bool(self.value <= self.trivial_value)


def trivial_outcomes(outcome: Outcome) -> Iterator[tuple[str, Outcome]]:
    """Yields what predictors say that look at no image, by their name."""
    if isinstance(outcome, Drawn):
        for name, dice in outcome.trivial.items():
            if np.isfinite(dice).all():
                yield name, replace(outcome, dice=dice, hd95=np.full_like(dice, np.nan))
        return
    for name, said in ((ALWAYS, True), (NEVER, False)):
        yield name, constant(outcome, said=said)


def constant(told: Told, *, said: bool) -> Told:
    return replace(
        told,
        said=np.full_like(told.said, said),
        probability=np.full_like(told.probability, float(said)),
    )


def best_trivial(metric: Metric, outcomes: Sequence[Outcome]) -> tuple[str, float]:
    """Returns the best by the mean over seeds; no name and NaN where none is known."""
    found: dict[str, list[float]] = {}
    for outcome in outcomes:
        for name, one in trivial_outcomes(outcome):
            found.setdefault(name, []).append(metric.value(one))
    means = {name: float(np.mean(values)) for name, values in found.items()}
    known = {name: metric.sign * value for name, value in means.items() if not np.isnan(value)}
    if not known:
        return "", np.nan
    name = max(known, key=lambda one: known[one])
    return name, means[name]


def headroom_of(metric: Metric, real: Mapping[int, Sequence[Outcome]]) -> Iterator[Headroom]:
    """By number of real images; ``real`` has the outcomes of real images alone over seeds."""
    values = {
        size: float(np.mean([metric.value(outcome) for outcome in outcomes]))
        for size, outcomes in sorted(real.items())
    }
    for size, value in values.items():
        name, trivial_value = best_trivial(metric, real[size])
        yield Headroom(
            real_size=size,
            value=value,
            with_most=values[max(values)],
            trivial=name,
            trivial_value=trivial_value,
            most=None if metric.less_is_better else 1.0,
        )

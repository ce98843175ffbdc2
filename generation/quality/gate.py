"""What a gate measures of a child and its parent, both asked for the same prompts and seeds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from generation.errors import RemediableError
from generation.measures.features import as_input, describe_images
from generation.measures.nearest_training_image import NearestTrainingImage
from generation.quality.diversity import mean_ms_ssim
from generation.quality.gate_spec import finding_of
from generation.quality.judged import Judged
from generation.quality.kid import kid
from generation.quality.prdc import NEAREST_K, prdc
from generation.statistics.intervals import Interval, jackknife
from generation.statistics.win_rate import no_narrower_than_chance, win_rate

SIDES = ("child", "parent")
SUSPICIOUS = 8
"""Images of the child, nearest to a training image, that a report shows."""
SIGNIFICANCE = 0.05
UNMEASURED = ("kid", "precision", "recall", "density", "coverage", "copies")

Pictures = Sequence[np.ndarray]


@dataclass(frozen=True)
class Described:
    """It holds features N x D, and similarity N to and index N of the nearest training image."""

    features: torch.Tensor
    similarity: torch.Tensor
    nearest: torch.Tensor


@dataclass(frozen=True)
class Measuring:
    """It measures pictures in pairs of one prompt and seed; 8-bit grey, H x W."""

    prompts: Sequence[str]
    child: Pictures
    parent: Pictures
    nearest: NearestTrainingImage | None
    no_reference: str = ""

    @classmethod
    def load(
        cls, folder: Path, *, prompts: Sequence[str], child: Pictures, parent: Pictures
    ) -> Self:
        """``folder`` is the ``quality`` folder of the base model; there may be none."""
        try:
            return cls(prompts, child, parent, NearestTrainingImage.load(folder))
        except RemediableError as error:
            return cls(prompts, child, parent, None, f"{error}. {error.remedy}")

    def figures(
        self, *, judge: Judged | None, no_judge: str, trained_on: Judged | None
    ) -> dict[str, Any]:
        """Everything that ``gate_rules.decide`` looks at, as plain numbers."""
        described = self._described()
        quality, missing = self._quality(described)
        return {
            "prompts": len(set(self.prompts)),
            "pairs": len(self.prompts),
            "judge": self._judged(judge) if judge else None,
            "no_judge": no_judge,
            "trained_on": self._trained(trained_on) if trained_on else None,
            "quality": quality,
            "no_quality": missing,
            "copies": self._copies(described) if described else None,
            "threshold": self.nearest.threshold if self.nearest else None,
            "similarity": {side: described[side].similarity.tolist() for side in SIDES}
            if described
            else None,
            "findings": self._by_finding(judge, described),
            "suspicious": self._suspicious(described) if described else [],
        }

    def _described(self) -> dict[str, Described] | None:
        if self.nearest is None:
            return None
        found = {}
        for side, pictures in (("child", self.child), ("parent", self.parent)):
            features, embeddings = describe_images(self.nearest.net, as_input(pictures))
            best = (embeddings @ self.nearest.reference.train_embeddings.T).max(dim=1)
            found[side] = Described(features, best.values, best.indices)
        return found

    def _judged(self, judge: Judged) -> dict[str, Any]:
        return {
            "name": judge.name,
            "about": judge.about,
            "source": dict(judge.source),
            "win_rate": asdict(win_rate(judge.child, judge.parent, prompts=self.prompts)),
            "child_mean": float(np.mean(judge.child)),
            "parent_mean": float(np.mean(judge.parent)),
        }

    def _trained(self, trained_on: Judged) -> dict[str, Any]:
        won = win_rate(trained_on.child, trained_on.parent, prompts=self.prompts)
        return {
            "name": trained_on.name,
            "about": trained_on.about,
            "value": won.share,
            "low": won.low,
            "high": won.high,
            "neutral": 0.5,
        }

    def _quality(
        self, described: Mapping[str, Described] | None
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Figures with the interval of their change, and why others are missing."""
        statistics: dict[str, Callable[[str, np.ndarray], float]] = {}
        missing: dict[str, str] = {}
        if described is None:
            missing |= dict.fromkeys(UNMEASURED, self.no_reference)
        else:
            statistics |= self._of_features(described)
        try:
            mean_ms_ssim(self._groups(self.child, np.arange(len(self.prompts))))
        except RemediableError as error:
            missing["ms_ssim"] = f"{error}. {error.remedy}"
        else:
            statistics["ms_ssim"] = self._ms_ssim()
        return {name: self._change(statistic) for name, statistic in statistics.items()}, missing

    def _change(self, statistic: Callable[[str, np.ndarray], float]) -> dict[str, Any]:
        change = jackknife(
            lambda chosen: statistic("child", chosen) - statistic("parent", chosen),
            groups=self.prompts,
        )
        everything = np.arange(len(self.prompts))
        sides = {side: statistic(side, everything) for side in SIDES}
        return {**sides, "change": asdict(change)}

    def _of_features(
        self, described: Mapping[str, Described]
    ) -> dict[str, Callable[[str, np.ndarray], float]]:
        assert self.nearest is not None
        real = self.nearest.reference.heldout_features
        nearest_k = min(NEAREST_K, len(real) - 1)

        def part(name: str) -> Callable[[str, np.ndarray], float]:
            def of(side: str, chosen: np.ndarray) -> float:
                found = prdc(described[side].features[chosen], real, nearest_k=nearest_k)
                return float(getattr(found, name))

            return of

        def distance(side: str, chosen: np.ndarray) -> float:
            return kid(described[side].features[chosen], real).value

        names = ("precision", "recall", "density", "coverage")
        return {"kid": distance, **{name: part(name) for name in names}}

    def _ms_ssim(self) -> Callable[[str, np.ndarray], float]:
        """Each prompt's own MS-SSIM is computed once; leaving prompts out only averages anew."""
        own = {
            side: {
                prompt: mean_ms_ssim([[pictures[index] for index in self._indexes(prompt)]])
                for prompt in dict.fromkeys(self.prompts)
            }
            for side, pictures in (("child", self.child), ("parent", self.parent))
        }

        def of(side: str, chosen: np.ndarray) -> float:
            left = {self.prompts[index] for index in chosen.tolist()}
            return float(np.mean([own[side][prompt] for prompt in sorted(left)]))

        return of

    def _indexes(self, prompt: str) -> list[int]:
        return [index for index, own in enumerate(self.prompts) if own == prompt]

    def _groups(self, pictures: Pictures, chosen: np.ndarray) -> list[list[np.ndarray]]:
        left = dict.fromkeys(self.prompts[index] for index in chosen.tolist())
        return [[pictures[index] for index in self._indexes(prompt)] for prompt in left]

    def _copies(self, described: Mapping[str, Described]) -> dict[str, Any]:
        return {side: asdict(self._copies_of(described[side])) for side in SIDES}

    def _copies_of(self, described: Described) -> Interval:
        assert self.nearest is not None
        beyond = (described.similarity > self.nearest.threshold).double().numpy()
        share = jackknife(lambda chosen: float(beyond[chosen].mean()), groups=self.prompts)
        return Interval(share.value, max(0.0, share.low), min(1.0, share.high))

    def _by_finding(
        self, judge: Judged | None, described: Mapping[str, Described] | None
    ) -> dict[str, Any]:
        """Intervals hold for all findings together (Bonferroni), at 95 %."""
        names = [finding_of(prompt) for prompt in self.prompts]
        level = 1 - SIGNIFICANCE / len(set(names))
        rows = {}
        for name in sorted(set(names)):
            chosen = [index for index, own in enumerate(names) if own == name]
            prompts = [self.prompts[index] for index in chosen]
            rows[name] = {
                "prompts": len(set(prompts)),
                "pairs": len(chosen),
                "win_rate": _won(judge, chosen, prompts=prompts, level=level) if judge else None,
                "copies": self._copies_among(described["child"], chosen) if described else None,
            }
        return rows

    def _copies_among(self, described: Described, chosen: Sequence[int]) -> int:
        assert self.nearest is not None
        return int((described.similarity[list(chosen)] > self.nearest.threshold).sum().item())

    def _suspicious(self, described: Mapping[str, Described]) -> list[dict[str, Any]]:
        """Returns the child's images that are most like a training image, most first."""
        assert self.nearest is not None
        child = described["child"]
        first = child.similarity.argsort(descending=True)[:SUSPICIOUS].tolist()
        ids = self.nearest.reference.train_image_ids
        return [
            {
                "pair": index,
                "similarity": child.similarity[index].item(),
                "is_too_close": bool(child.similarity[index] > self.nearest.threshold),
                "nearest_image_id": ids[int(child.nearest[index])],
            }
            for index in first
        ]


def _won(
    judge: Judged, chosen: Sequence[int], *, prompts: Sequence[str], level: float
) -> dict[str, Any]:
    won = win_rate(
        [judge.child[index] for index in chosen],
        [judge.parent[index] for index in chosen],
        prompts=prompts,
    )
    return asdict(no_narrower_than_chance(won, level=level))

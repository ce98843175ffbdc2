"""How well a child and its parent follow the same held-out masks."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import torch

from generation.downstream.framing import frame_mask
from generation.downstream.segmenter import Segmenter
from generation.quality.gate_rules import MASK_FIDELITY
from generation.specs import MaskKind, Mode
from generation.statistics.intervals import jackknife
from generation.statistics.overlap import dice_matrix

Pictures = Sequence[np.ndarray]


@dataclass(frozen=True)
class MaskedPictures:
    """They are both sides' pictures of the same masks, N of each; 8-bit grey, H x W.

    ``masks`` (bool, H x W) are N of each kind; ``patients`` says whose they are.
    """

    child: Pictures
    parent: Pictures
    masks: Mapping[MaskKind, Pictures]
    patients: Sequence[object]


@dataclass(frozen=True)
class Following:
    """Dice of N pictures, from 0 to 1: with their own masks, and the mean with other patients'."""

    matched: np.ndarray
    shuffled: np.ndarray

    @classmethod
    def of(cls, dice: np.ndarray, *, patients: Sequence[object]) -> Self:
        """``dice`` is N x N, of what was drawn on picture n with the masks of picture m."""
        names = np.asarray([str(patient) for patient in patients])
        others = names[:, None] != names[None, :]
        return cls(dice.diagonal(), (dice * others).sum(1) / others.sum(1))

    def specific(self, chosen: np.ndarray) -> float:
        """Say how far matched lies from shuffled to perfect; 0 for one average lung everywhere."""
        matched, shuffled = self.matched[chosen].mean(), self.shuffled[chosen].mean()
        return float((matched - shuffled) / (1 - shuffled))

    def figures(self, patients: Sequence[object]) -> dict[str, Any]:
        return {
            "matched": float(self.matched.mean()),
            "shuffled": float(self.shuffled.mean()),
            "specific": asdict(jackknife(self.specific, groups=patients)),
        }


def mask_figures(
    asked: Mapping[Mode, MaskedPictures], segmenters: Mapping[MaskKind, Segmenter]
) -> dict[str, Any]:
    """Measure Dice by mode, matched and shuffled, of both sides; intervals are over patients."""
    modes = {mode: _of_mode(pictures, segmenters) for mode, pictures in asked.items()}
    patients = {str(patient) for one in asked.values() for patient in one.patients}
    return {"patients": len(patients), "modes": modes}


def _of_mode(pictures: MaskedPictures, segmenters: Mapping[MaskKind, Segmenter]) -> dict[str, Any]:
    patients = pictures.patients
    child, parent = (
        Following.of(_dice(side, pictures.masks, segmenters), patients=patients)
        for side in (pictures.child, pictures.parent)
    )
    change = jackknife(
        lambda chosen: child.specific(chosen) - parent.specific(chosen), groups=patients
    )
    return {
        "images": len(patients),
        "child": child.figures(patients),
        "parent": parent.figures(patients),
        "change": asdict(change),
    }


def _dice(
    pictures: Pictures,
    masks: Mapping[MaskKind, Pictures],
    segmenters: Mapping[MaskKind, Segmenter],
) -> np.ndarray:
    """Compute Dice, N x N; where several kinds are followed together, their mean."""
    matrices = []
    for kind, given in masks.items():
        segmenter = segmenters[kind]
        side = segmenter.config.resolution
        framed = np.stack([frame_mask(mask, side=side) for mask in given])
        drawn = segmenter.probabilities(pictures) > 0.5
        matrices.append(dice_matrix(drawn, torch.from_numpy(framed)).numpy())
    return np.asarray(np.mean(matrices, axis=0))


def as_changes(found: Mapping[str, Any]) -> dict[str, Any]:
    """Give what ``gate_rules`` compares with the parent's, by the names that it has for them."""
    return {
        MASK_FIDELITY[mode].name: {
            "child": row["child"]["specific"]["value"],
            "parent": row["parent"]["specific"]["value"],
            "change": row["change"],
        }
        for mode, row in found["modes"].items()
    }

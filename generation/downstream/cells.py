"""The downstream model of a cell of an experiment: trained by its arm, measured on real images.

What may move a figure is the same in every arm: the steps and their schedule, the
augmentation, the validation split (all of its real images, however few are learnt from),
when to stop, and how the threshold is found there; or all steps, and one half, where the spec
says that both are fixed. ``pretrained`` has two phases of half the steps each; the second
begins with what the first found best.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from monai.losses import DiceCELoss
from torch import nn

from generation.downstream import figures
from generation.downstream.augmentation import augment_together
from generation.downstream.classifier import (
    auroc_by_finding,
    build_densenet,
    known_cross_entropy,
    targets_of,
)
from generation.downstream.early_stopping import (
    Best,
    train_for_all_steps,
    train_until_no_better,
)
from generation.downstream.examples import CellExamples, Examples, joined
from generation.downstream.prediction import autocast, logits_of
from generation.downstream.segmenter import build_unet
from generation.downstream.transformed import transformed_copies
from generation.downstream.trivial import masks_of, trivial_dice
from generation.errors import RemediableError
from generation.specs import CellSpec, Precision, TrainingImage
from generation.statistics.overlap import dice
from generation.training.checkpoints import Report
from generation.training.images import augment, plain


@dataclass(frozen=True)
class Measured:
    """A cell's model said this of the test split."""

    figures: Mapping[str, float]
    thresholds: Mapping[str, float]
    predictions: list[dict[str, Any]]


class DownstreamModel(Protocol):
    """It is a network for a task,
    its loss, its figure on validation, and what it is measured by.
    """

    net: nn.Module

    def loss_of(self, examples: Examples, chosen: torch.Tensor, generator: torch.Generator) -> Any:
        """Give the loss on augmented versions of the chosen examples."""

    def figure_on(self, examples: Examples) -> float:
        """Measure the network on examples; more is better."""

    def chance(self, learnt: Examples, validation: Examples) -> float:
        """Give the figure on validation of a model that looks at no image."""

    def measure(self, test: Examples, *, validation: Examples | None, learnt: Examples) -> Measured:
        """Measure on test images; without validation images the threshold is one half."""


@dataclass
class FindingClassifier:
    """A network that says of each finding how likely it is there."""

    findings: tuple[str, ...]
    net: nn.Module
    precision: Precision

    def loss_of(
        self, examples: Examples, chosen: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        images = augment(examples.images.pixels[chosen], generator)
        targets, known = targets_of([examples.rows[index] for index in chosen], self.findings)
        device = device_of(self.net)
        with autocast(device, self.precision):
            logits = self.net(images.to(device))
        return known_cross_entropy(logits.float(), targets.to(device), known.to(device))

    def probabilities(self, examples: Examples) -> torch.Tensor:
        """Give the probability of each finding: N x findings."""
        inputs = plain(examples.images.pixels)
        return logits_of(self.net, inputs, precision=self.precision).sigmoid()

    def figure_on(self, examples: Examples) -> float:
        areas = auroc_by_finding(self.probabilities(examples), examples.rows, self.findings)
        if not areas:
            raise RemediableError(
                f"the validation split is all with or all without {', '.join(self.findings)}",
                remedy="Import more patients: about one in ten goes to validation.",
            )
        return math.fsum(areas.values()) / len(areas)

    def chance(self, learnt: Examples, validation: Examples) -> float:
        return figures.AUROC_BY_CHANCE

    def measure(self, test: Examples, *, validation: Examples | None, learnt: Examples) -> Measured:
        thresholds = dict.fromkeys(self.findings, figures.HALF)
        for column, finding in enumerate(self.findings if validation else ()):
            assert validation is not None
            there, found = known_of(validation, self.probabilities(validation), column, finding)
            thresholds[finding] = figures.best_threshold(there, found)
        probabilities = self.probabilities(test)
        known = [
            known_of(test, probabilities, column, finding)
            for column, finding in enumerate(self.findings)
        ]
        measured = figures.classification_figures(
            {finding: there for finding, (there, _) in zip(self.findings, known, strict=True)},
            {finding: found for finding, (_, found) in zip(self.findings, known, strict=True)},
            thresholds,
        )
        predictions = [
            self.predicted(row, found, thresholds)
            for row, found in zip(test.rows, probabilities.tolist(), strict=True)
        ]
        return Measured(measured, thresholds, predictions)

    def predicted(
        self, row: TrainingImage, found: list[float], thresholds: Mapping[str, float]
    ) -> dict[str, Any]:
        """Findings that are unknown of the image are left out."""
        known = {
            finding: probability
            for finding, probability in zip(self.findings, found, strict=True)
            if finding not in row.unknown
        }
        return described(row) | {
            "truth": {finding: int(finding in row.findings) for finding in known},
            "probability": known,
            "said": {finding: int(known[finding] >= thresholds[finding]) for finding in known},
        }


def known_of(
    examples: Examples, probabilities: torch.Tensor, column: int, finding: str
) -> tuple[np.ndarray, np.ndarray]:
    """Truth and probability of a finding, of the images of which it is known."""
    there, known = (part[:, 0].bool().numpy() for part in targets_of(examples.rows, [finding]))
    return there[known], probabilities[:, column].numpy()[known]


@dataclass
class MaskSegmenter:
    """A network that draws masks of one kind."""

    kind: str
    net: nn.Module
    precision: Precision
    measure_loss: nn.Module = field(default_factory=lambda: DiceCELoss(sigmoid=True))

    def loss_of(
        self, examples: Examples, chosen: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        assert examples.masks is not None
        images, masks = augment_together(
            examples.images.pixels[chosen], examples.masks[chosen], generator
        )
        assert masks is not None
        device = device_of(self.net)
        with autocast(device, self.precision):
            logits = self.net(images.to(device))
        loss: torch.Tensor = self.measure_loss(logits.float(), masks.to(device))
        return loss

    def probabilities(self, examples: Examples) -> torch.Tensor:
        """Give the probability that each pixel is mask: N x R x R."""
        inputs = plain(examples.images.pixels)
        return logits_of(self.net, inputs, precision=self.precision)[:, 0].sigmoid()

    def figure_on(self, examples: Examples) -> float:
        drawn = self.probabilities(examples) >= figures.HALF
        return dice(drawn, masks_of(examples)).mean().item()

    def chance(self, learnt: Examples, validation: Examples) -> float:
        return figures.dice_by_chance(masks_of(learnt), masks_of(validation))

    def measure(self, test: Examples, *, validation: Examples | None, learnt: Examples) -> Measured:
        threshold = figures.HALF
        if validation is not None:
            threshold = figures.best_mask_threshold(
                self.probabilities(validation), masks_of(validation)
            )
        truth = masks_of(test)
        drawn = self.probabilities(test) >= threshold
        dices: list[float] = dice(drawn, truth).tolist()
        distances = figures.hausdorff_95(drawn, truth)
        positive: list[bool] = truth.flatten(1).any(1).tolist()
        trivial = trivial_dice(test, learnt=learnt, validation=validation, kind=self.kind)
        predictions = [
            described(row)
            | {"dice": value, "hd95": distance, "is_positive": there}
            | {"trivial": {name: values[place] for name, values in trivial.items()}}
            for place, (row, value, distance, there) in enumerate(
                zip(test.rows, dices, distances, positive, strict=True)
            )
        ]
        measured = figures.segmentation_figures(dices, distances, positive)
        return Measured(measured, {self.kind: threshold}, predictions)


def described(row: TrainingImage) -> dict[str, Any]:
    return {
        "image_id": row.image_id,
        "patient": row.patient,
        "view": row.view,
        "sex": row.sex,
        "race": row.race,
        "age_years": row.age_years,
    }


def device_of(net: nn.Module) -> torch.device:
    return next(net.parameters()).device


def model_of(spec: CellSpec, *, device: torch.device) -> DownstreamModel:
    """Build the network of the cell's task, with weights that follow from the seed."""
    torch.manual_seed(spec.seed)
    if spec.task == "classification":
        net = build_densenet(spec.network, outputs=len(spec.findings)).to(device)
        return FindingClassifier(spec.findings, net, spec.precision)
    return MaskSegmenter(spec.kind, build_unet(spec.widths).to(device), spec.precision)


def phases_of(spec: CellSpec, examples: CellExamples) -> list[Examples]:
    """List what the model learns from, one after the other."""
    real, synthetic = examples.real, examples.synthetic
    match spec.arm:
        case "real":
            parts = [real]
        case "synthetic":
            parts = [synthetic]
        case "pretrained":
            parts = [synthetic, real]
        case "transformed":
            assert real is not None
            copies = transformed_copies(real, spec.synthetic_count, kind=spec.kind, seed=spec.seed)
            parts = [joined(real, copies)]
        case "unfiltered" | "own_generator" | "curated" | "finetuned_curated":
            assert real is not None and synthetic is not None
            parts = [joined(real, synthetic)]
    return [part for part in parts if part is not None]


def train_cell(
    spec: CellSpec,
    examples: CellExamples,
    *,
    device: torch.device,
    checkpoints: Path,
    report: Report,
) -> tuple[Measured, Best | None]:
    """Train, or take up again, by the cell's arm; measure the weights best on validation.

    Those of the last step, and no best, where the steps are fixed.
    """
    model = model_of(spec, device=device)
    phases = phases_of(spec, examples)
    schedule = replace(spec, max_steps=math.ceil(spec.max_steps / len(phases)))
    best: Best | None = None
    for number, part in enumerate(phases):
        best = _learn(
            model,
            part,
            schedule,
            validation=examples.validation,
            checkpoint=checkpoints / f"phase-{number}.pt",
            report=_after(number * schedule.max_steps, report),
        )
    measured = model.measure(examples.test, validation=examples.validation, learnt=examples.own)
    return measured, best


def _after(done: int, report: Report) -> Report:
    """Report steps as following those of earlier phases."""
    return lambda step, figures: report(done + step, figures)


def _learn(
    model: DownstreamModel,
    examples: Examples,
    schedule: CellSpec,
    *,
    validation: Examples | None,
    checkpoint: Path,
    report: Report,
) -> Best | None:
    batch = min(schedule.batch_size, len(examples))

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        chosen = torch.randperm(len(examples), generator=generator)[:batch]
        loss: torch.Tensor = model.loss_of(examples, chosen, generator)
        return loss

    if validation is None:
        train_for_all_steps(
            model.net, schedule, loss_of=loss_of, checkpoint=checkpoint, report=report
        )
        return None
    return train_until_no_better(
        model.net,
        schedule,
        loss_of=loss_of,
        validate=lambda: model.figure_on(validation),
        chance=model.chance(examples, validation),
        checkpoint=checkpoint,
        report=report,
    )

"""A multi-label classifier of findings on CXRs, trained on real images only."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from monai.networks.nets import DenseNet
from torch import nn
from torch.nn import functional

from generation.downstream.augmentation import augment_together
from generation.downstream.early_stopping import Best, train_until_no_better
from generation.downstream.figures import AUROC_BY_CHANCE
from generation.downstream.framing import as_input
from generation.downstream.prediction import AT_ONCE, logits_of
from generation.errors import RemediableError
from generation.specs import ClassifierNetwork, ClassifierSpec, TrainingImage
from generation.statistics.ranking import auroc
from generation.training.checkpoints import Report
from generation.training.images import ImageSet, plain
from generation.training.saving import read_network, save_network

NAME = "classifier"
STAGES = ("relu0", "transition")
"""After the first convolution, and between dense blocks."""
PLACES = (4, 4)
FEWEST_EXAMPLES = 5
"""Training images with a finding, and without it, below which it is not learnt."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How wide and deep a DenseNet is (Huang et al., 1608.06993)."""

    init_features: int
    growth_rate: int
    block_config: tuple[int, ...]


SHAPES: dict[ClassifierNetwork, Shape] = {
    "densenet121": Shape(init_features=64, growth_rate=32, block_config=(6, 12, 24, 16)),
    "small": Shape(init_features=16, growth_rate=12, block_config=(2, 4, 6, 4)),
    "tiny": Shape(init_features=8, growth_rate=4, block_config=(1, 1)),
}


@dataclass(frozen=True, kw_only=True)
class ClassifierConfig:
    """It holds the facts of a saved classifier; ``validation_auroc`` is the mean over findings."""

    findings: tuple[str, ...]
    resolution: int
    network: ClassifierNetwork
    validation_auroc: float


class Classifier:
    """A classifier is a trained network with its configuration."""

    def __init__(self, net: DenseNet, config: ClassifierConfig) -> None:
        self.net = net.eval()
        self.config = config

    @torch.no_grad()
    def probabilities(self, images: Sequence[np.ndarray]) -> torch.Tensor:
        """Give the probability of each finding on 8-bit grey images of any size: N x findings."""
        return predict(self.net, as_input(images, side=self.config.resolution))

    @torch.no_grad()
    def features(self, images: Sequence[np.ndarray]) -> torch.Tensor:
        """Give what every depth of the network sees, and about where: N x F.

        The last layers know findings and were taught not to mind place, contrast and blur,
        which readers do mind; the first ones still see them.
        """
        parts = as_input(images, side=self.side).split(AT_ONCE)
        return torch.cat([self.see(part) for part in parts])

    def see(self, inputs: torch.Tensor) -> torch.Tensor:
        """Give features with gradients, of inputs N x 1 x side x side in [-1, 1]."""
        return trunk(self.net, inputs)

    @property
    def module(self) -> nn.Module:
        return self.net

    @property
    def side(self) -> int:
        return self.config.resolution

    @classmethod
    def load(cls, folder: Path) -> Self:
        config, weights = read_network(ClassifierConfig, folder, name=NAME, what=NAME)
        net = build_densenet(config.network, outputs=len(config.findings))
        net.load_state_dict(weights)
        return cls(net, config)

    def save(self, folder: Path) -> None:
        save_network(self.net, self.config, folder, name=NAME)


def build_densenet(network: ClassifierNetwork, *, outputs: int) -> DenseNet:
    """Build a network from N x 1 x R x R to logits, N x outputs."""
    shape = SHAPES[network]
    return DenseNet(
        spatial_dims=2,
        in_channels=1,
        out_channels=outputs,
        init_features=shape.init_features,
        growth_rate=shape.growth_rate,
        block_config=shape.block_config,
    )


def trunk(net: DenseNet, inputs: torch.Tensor) -> torch.Tensor:
    """Means over 4 x 4 places after each stage, N x F, of N x 1 x R x R in [-1, 1]."""
    pooled = []
    values = inputs
    for name, stage in net.features.named_children():
        values = stage(values)
        if name.startswith(STAGES):
            pooled.append(functional.adaptive_avg_pool2d(values, PLACES).flatten(1))
    pooled.append(values.mean(dim=(2, 3)))
    return torch.cat(pooled, dim=1)


def predict(net: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    """Returns probabilities, N x findings, of inputs N x 1 x R x R in [-1, 1]."""
    return logits_of(net, inputs).sigmoid()


def learnable_findings(rows: Sequence[TrainingImage]) -> tuple[str, ...]:
    """Findings with enough training images that have them and enough that do not."""
    training = [row for row in rows if row.split == "train"]
    named = {finding for row in training for finding in row.findings}
    found = []
    for finding in sorted(named):
        known = [finding in row.findings for row in training if finding not in row.unknown]
        if min(sum(known), len(known) - sum(known)) >= FEWEST_EXAMPLES:
            found.append(finding)
    if not found:
        raise RemediableError(
            f"no finding has {FEWEST_EXAMPLES} training images with it and as many without it",
            remedy="Choose a cohort with labels, or import more of its patients.",
        )
    return tuple(found)


def targets_of(
    rows: Sequence[TrainingImage], findings: Sequence[str]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Say whether each finding is there and whether that is known: float and bool, N x findings."""
    there = [[float(finding in row.findings) for finding in findings] for row in rows]
    known = [[finding not in row.unknown for finding in findings] for row in rows]
    return torch.tensor(there), torch.tensor(known)


def known_cross_entropy(
    logits: torch.Tensor, targets: torch.Tensor, known: torch.Tensor
) -> torch.Tensor:
    """Binary cross-entropy over what is known, N x findings each; 0 where nothing is."""
    errors = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return (errors * known).sum() / known.sum().clamp(min=1)


def auroc_by_finding(
    probabilities: torch.Tensor, rows: Sequence[TrainingImage], findings: Sequence[str]
) -> dict[str, float]:
    """Returns the area under the ROC curve by finding, where there are images with and without
    it.
    """
    targets, known = (part.numpy() for part in targets_of(rows, findings))
    areas = {}
    for column, finding in enumerate(findings):
        chosen = known[:, column]
        area = auroc(targets[chosen, column], probabilities[chosen, column].numpy())
        if area is not None:
            areas[finding] = area
    return areas


def train_classifier(
    training: ImageSet,
    validation: ImageSet,
    spec: ClassifierSpec,
    *,
    device: torch.device,
    checkpoint: Path,
    report: Report,
) -> tuple[Classifier, Best]:
    """Train, or take up again; keeps the weights of the best mean AUROC on validation."""
    findings = learnable_findings([*training.rows, *validation.rows])
    torch.manual_seed(spec.seed)
    net = build_densenet(spec.network, outputs=len(findings)).to(device)
    targets, known = targets_of(training.rows, findings)
    batch = min(spec.batch_size, len(training))

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        chosen = torch.randperm(len(training), generator=generator)[:batch]
        images, _ = augment_together(training.pixels[chosen], None, generator)
        with torch.autocast(device.type, torch.bfloat16):
            logits = net(images.to(device))
        return known_cross_entropy(
            logits.float(), targets[chosen].to(device), known[chosen].to(device)
        )

    def validate() -> float:
        probabilities = predict(net, plain(validation.pixels))
        areas = auroc_by_finding(probabilities, validation.rows, findings)
        if not areas:
            raise RemediableError(
                "no finding has validation images both with it and without it",
                remedy="Import more patients: about one in ten goes to validation.",
            )
        return math.fsum(areas.values()) / len(areas)

    best = train_until_no_better(
        net,
        spec,
        loss_of=loss_of,
        validate=validate,
        chance=AUROC_BY_CHANCE,
        checkpoint=checkpoint,
        report=report,
    )
    config = ClassifierConfig(
        findings=findings,
        resolution=spec.resolution,
        network=spec.network,
        validation_auroc=best.figure,
    )
    return Classifier(net.cpu(), config), best

"""A U-Net that draws one kind of mask on a CXR, trained on real images only."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from monai.losses import DiceCELoss
from monai.networks.nets import UNet
from torch import nn

from generation.downstream.augmentation import augment_together
from generation.downstream.confidence import Calibration, calibrate
from generation.downstream.early_stopping import Best, train_until_no_better
from generation.downstream.figures import dice_by_chance
from generation.downstream.framing import MaskedSet, as_input
from generation.downstream.prediction import predict
from generation.downstream.shapes import Plausibility
from generation.specs import SegmenterSpec
from generation.statistics.overlap import dice
from generation.training.checkpoints import Report
from generation.training.images import plain
from generation.training.saving import read_network, save_network

NAME = "segmenter"


@dataclass(frozen=True, kw_only=True)
class SegmenterConfig:
    """It holds the facts of a saved segmenter; ``validation_dice`` is that of the weights kept."""

    kind: str
    resolution: int
    widths: tuple[int, ...]
    plausibility: Plausibility
    calibration: Calibration
    validation_dice: float


class Segmenter:
    """A segmenter is a trained network with its configuration."""

    def __init__(self, net: nn.Module, config: SegmenterConfig) -> None:
        self.net = net.eval()
        self.config = config

    def probabilities(self, images: Sequence[np.ndarray]) -> torch.Tensor:
        """Give the probability of mask on the central squares of 8-bit grey images: N x R x R."""
        return predict(self.net, as_input(images, side=self.config.resolution))

    @classmethod
    def load(cls, folder: Path) -> Self:
        config, weights = read_network(SegmenterConfig, folder, name=NAME, what=NAME)
        net = build_unet(config.widths)
        net.load_state_dict(weights)
        return cls(net, config)

    def save(self, folder: Path) -> None:
        save_network(self.net, self.config, folder, name=NAME)


def build_unet(widths: Sequence[int]) -> nn.Module:
    """Build a U-Net from N x 1 x R x R to logits of the same shape."""
    net: nn.Module = UNet(
        spatial_dims=2,
        in_channels=1,
        out_channels=1,
        channels=tuple(widths),
        strides=(2,) * (len(widths) - 1),
        num_res_units=2,
    )
    return net


def dice_of(net: nn.Module, masked: MaskedSet) -> torch.Tensor:
    """Measure the Dice of each image of a set, N, at the network's resolution."""
    return dice(predict(net, plain(masked.images.pixels)) > 0.5, truth_of(masked))


def truth_of(masked: MaskedSet) -> torch.Tensor:
    """Returns the masks of a set at the network's resolution: bool, N x R x R."""
    return masked.masks[:, 0, ::2, ::2] > 127


def train_segmenter(
    training: MaskedSet,
    validation: MaskedSet,
    spec: SegmenterSpec,
    *,
    device: torch.device,
    checkpoint: Path,
    report: Report,
) -> tuple[Segmenter, Best]:
    """Train with Dice and cross-entropy, or take up again; keeps the best on validation."""
    torch.manual_seed(spec.seed)
    net = build_unet(spec.widths).to(device)
    measure_loss = DiceCELoss(sigmoid=True)
    batch = min(spec.batch_size, len(training))

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        chosen = torch.randperm(len(training), generator=generator)[:batch]
        images, masks = augment_together(
            training.images.pixels[chosen], training.masks[chosen], generator
        )
        assert masks is not None
        with torch.autocast(device.type, torch.bfloat16):
            logits = net(images.to(device))
        loss: torch.Tensor = measure_loss(logits.float(), masks.to(device))
        return loss

    best = train_until_no_better(
        net,
        spec,
        loss_of=loss_of,
        validate=lambda: dice_of(net, validation).mean().item(),
        chance=dice_by_chance(truth_of(training), truth_of(validation)),
        checkpoint=checkpoint,
        report=report,
    )
    config = SegmenterConfig(
        kind=spec.kind,
        resolution=spec.resolution,
        widths=spec.widths,
        plausibility=Plausibility.of(truth_of(training).numpy()),
        calibration=calibrate(net.cpu(), validation, seed=spec.seed),
        validation_dice=best.figure,
    )
    return Segmenter(net, config), best


def summarise(segmenter: Segmenter, heldout: MaskedSet) -> dict[str, float]:
    """Mean and least Dice on images that were not trained on."""
    values = dice_of(segmenter.net, heldout)
    return {
        "images": len(values),
        "dice_mean": values.mean().item(),
        "dice_least": values.min().item(),
    }

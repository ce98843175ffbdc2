"""A small frozen network whose features CXRs are compared by.

It is trained on a cohort's training split on two things at once: what is known
of the image (findings, view, sex, age), which gives the ``features`` that
distributions are compared by; and telling images apart under crops, windowing
and blur (NT-Xent, Chen et al., 2002.05709), which gives the ``embedding`` that
copies are found by, as in Pizzi et al., 2202.10261. The blur matters: a
generated image is a little softer than a real one, and must not pass for
original because of it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from generation.errors import RemediableError
from generation.specs import TrainingImage
from generation.training.checkpoints import Report
from generation.training.images import ImageSet, augment
from generation.training.loop import Figures, Plan, Trainee, train
from generation.training.schedules import warm_up_then_cosine

VERSION = "cxr-features-1"
WEIGHTS_FILE = "features.safetensors"
CONFIG_FILE = "features.json"
INPUT_SIDE = 128
AT_ONCE = 64
AGE_UNIT_YEARS = 20.0
MIDDLE_AGE_YEARS = 50.0


@dataclass(frozen=True, kw_only=True)
class FeatureConfig:
    """The settings say how the feature network is trained."""

    steps: int
    seed: int = 0
    batch_size: int = 32
    peak_learning_rate: float = 2e-3
    warm_up: int = 50
    temperature: float = 0.2
    checkpoint_every: int = 100


class ResidualBlock(nn.Module):
    """Halve the side, then refine: N x I x H x W to N x O x H/2 x W/2."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.narrow = nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
        )
        self.refine = nn.Sequential(
            nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        narrow = self.narrow(images)
        return functional.relu(narrow + self.refine(narrow))


class FeatureNet(nn.Module):
    """It takes N x 1 x 128 x 128 in [-1, 1] to features N x 256 and unit embeddings N x 128."""

    feature_size = 256
    embedding_size = 128

    def __init__(self) -> None:
        super().__init__()
        widths = (24, 48, 96, 192)
        self.stem = nn.Conv2d(1, widths[0], 5, stride=2, padding=2)
        self.blocks = nn.Sequential(
            *(ResidualBlock(a, b) for a, b in zip((24, *widths), widths, strict=False))
        )
        self.head = nn.Conv2d(widths[-1], self.feature_size, 1)
        self.projection = nn.Linear(self.feature_size, self.embedding_size)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        pooled = functional.relu(self.head(self.blocks(self.stem(images)))).mean(dim=(2, 3))
        return pooled, functional.normalize(self.projection(pooled), dim=1)

    @classmethod
    def load(cls, folder: Path) -> Self:
        if not (folder / WEIGHTS_FILE).exists():
            raise RemediableError(
                f"{folder} holds no feature network ({WEIGHTS_FILE})",
                remedy="Name the quality folder of a model made by pretrain.",
            )
        net = cls()
        net.load_state_dict(load_file(folder / WEIGHTS_FILE))
        return net.eval()

    def save(self, folder: Path) -> None:
        """Save in half precision."""
        folder.mkdir(parents=True, exist_ok=True)
        halved = {
            name: value.half() if value.is_floating_point() else value
            for name, value in self.state_dict().items()
        }
        save_file(halved, folder / WEIGHTS_FILE)
        (folder / CONFIG_FILE).write_text(json.dumps({"version": VERSION}))


def as_input(images: Sequence[np.ndarray]) -> torch.Tensor:
    """8-bit grey images of any size to what the network takes: N x 1 x 128 x 128."""
    pixels = (torch.from_numpy(np.array(image))[None, None] for image in images)
    return torch.cat([fit_side(image.float() / 127.5 - 1) for image in pixels])


def fit_side(images: torch.Tensor) -> torch.Tensor:
    """Resize N x 1 x H x W to N x 1 x 128 x 128."""
    if images.shape[-2:] == (INPUT_SIDE, INPUT_SIDE):
        return images
    return functional.interpolate(images, (INPUT_SIDE, INPUT_SIDE), mode="bilinear", antialias=True)


def features_of(net: FeatureNet, images: Sequence[np.ndarray]) -> torch.Tensor:
    """Returns features, N x 256, of 8-bit grey images."""
    return describe_images(net, as_input(images))[0]


@torch.no_grad()
def describe_images(net: FeatureNet, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns features, N x 256, and embeddings, N x 128, of N x 1 x 128 x 128 inputs."""
    parts = [net(part) for part in inputs.split(AT_ONCE)]
    return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])


def soften(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Take detail out of a random half of the images, by up to a factor of three."""
    factor = 1 + 2 * torch.rand(1, generator=generator).item()
    side = images.shape[-1]
    small = functional.interpolate(images, scale_factor=1 / factor, mode="bilinear", antialias=True)
    soft = functional.interpolate(small, (side, side), mode="bilinear")
    chosen = torch.rand(len(images), generator=generator) < 0.5
    return torch.where(chosen.view(-1, 1, 1, 1), soft, images)


def contrastive_loss(
    embeddings: torch.Tensor, patients: Sequence[str], *, temperature: float
) -> torch.Tensor:
    """Returns NT-Xent of two versions of N images: 2N x D unit vectors, version by version.

    Other images of the same patient are neither alike nor different.
    """
    count = len(embeddings) // 2
    similarity = embeddings @ embeddings.T / temperature
    names = [*patients, *patients]
    same = torch.tensor([[a == b for b in names] for a in names])
    partner = torch.arange(2 * count).roll(count)
    same[torch.arange(2 * count), partner] = False
    same, partner = same.to(embeddings.device), partner.to(embeddings.device)
    return functional.cross_entropy(similarity.masked_fill(same, float("-inf")), partner)


def attribute_targets(
    rows: Sequence[TrainingImage], findings: Sequence[str]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Targets and whether they are known, N x (findings + view, sex, age) each."""
    targets, known = [], []
    for row in rows:
        age_years = MIDDLE_AGE_YEARS if row.age_years is None else row.age_years
        age = 1 / (1 + np.exp((MIDDLE_AGE_YEARS - age_years) / AGE_UNIT_YEARS))
        labels = [float(finding in row.findings) for finding in findings]
        targets.append([*labels, float(row.view == "AP"), float(row.sex == "M"), age])
        known.append(
            [*(True for _ in findings), bool(row.view), bool(row.sex), row.age_years is not None]
        )
    return torch.tensor(targets, dtype=torch.float32), torch.tensor(known)


class FeatureTrainee(Trainee):
    """A feature network with a head for attributes, which is thrown away in the end."""

    def __init__(self, images: ImageSet, config: FeatureConfig, *, device: torch.device) -> None:
        self.findings = sorted({finding for row in images.rows for finding in row.findings})
        torch.manual_seed(config.seed)
        self.net = FeatureNet().to(device)
        self.attributes = nn.Linear(self.net.feature_size, len(self.findings) + 3).to(device)
        super().__init__(net=self.net, attributes=self.attributes)
        self.images = images
        self.config = config
        self.device = device
        self.batch = min(config.batch_size, len(images))

    def loss(self, step: int, generator: torch.Generator) -> tuple[torch.Tensor, Figures]:
        # Two versions of every image of a batch, one after the other: 2B x 1 x 128 x 128.
        chosen = torch.randperm(len(self.images), generator=generator)[: self.batch]
        rows = [self.images.rows[index] for index in chosen.tolist()]
        pixels = self.images.pixels[chosen].repeat(2, 1, 1, 1)
        inputs = soften(fit_side(augment(pixels, generator)), generator).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            features, embeddings = self.net(inputs)  # 2B x 256, 2B x 128
            predicted = self.attributes(features)
        # What is known of the images is told from their features ...
        targets, known = (
            part.repeat(2, 1).to(self.device) for part in attribute_targets(rows, self.findings)
        )
        errors = functional.binary_cross_entropy_with_logits(
            predicted.float(), targets, reduction="none"
        )
        attributes = errors[known].mean()
        # ... and each image is told apart from the others by its embedding.
        contrast = contrastive_loss(
            embeddings.float(),
            [row.patient for row in rows],
            temperature=self.config.temperature,
        )
        return attributes + contrast, {"attributes": attributes, "contrast": contrast}


def train_features(
    images: ImageSet,
    config: FeatureConfig,
    *,
    device: torch.device,
    checkpoint: Path,
    report: Report,
) -> FeatureNet:
    """Train, or take up again, and return the network in evaluation mode."""
    trainee = FeatureTrainee(images, config, device=device)
    plan = Plan(
        steps=config.steps,
        seed=config.seed,
        learning_rate=config.peak_learning_rate,
        schedule=warm_up_then_cosine(warm_up=config.warm_up, total=config.steps),
        weight_decay=2e-2,
        checkpoint_every=config.checkpoint_every,
    )
    train(trainee, plan, checkpoint=checkpoint, report=report)
    return trainee.net

"""Frozen networks that a reward model looks at images through.

Never those that the gate judges by (KID's features): a fine-tune that learns to please
the one must not please the other by the same weights.
"""

import importlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from generation.downstream.framing import as_input
from generation.errors import RemediableError
from generation.measures.features import WEIGHTS_FILE as JUDGES_FILE
from generation.measures.features import FeatureNet

DEFAULT_SIDE = 128
PUBLISHED_SIDE = 224
AT_ONCE = 32


CONFIG_FILE = "config.json"
"""What a folder of transformers has."""
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Trunk(Protocol):
    @property
    def module(self) -> nn.Module:
        """The module that has the weights."""

    @property
    def side(self) -> int:
        """Returns the side of its inputs, in pixels."""

    def features(self, images: Sequence[np.ndarray]) -> torch.Tensor:
        """Give features, N x F, of 8-bit grey images of any size."""

    def see(self, inputs: torch.Tensor) -> torch.Tensor:
        """Give features with gradients, of inputs N x 1 x side x side in [-1, 1]."""


class ModuleTrunk:
    """It is a torch module from N x 1 x R x R in [-1, 1] to N x F; R is ``input_side`` or 128."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module.requires_grad_(False).eval()
        self.side = int(getattr(module, "input_side", DEFAULT_SIDE))

    @torch.no_grad()
    def features(self, images: Sequence[np.ndarray]) -> torch.Tensor:
        parts = as_input(images, side=self.side).split(AT_ONCE)
        found = torch.cat([self.module(part) for part in parts]).float()
        if found.ndim != 2:
            raise RemediableError(
                f"the trunk gives features of shape {tuple(found.shape)}",
                remedy="Use a module that gives one row of features an image, N x F.",
            )
        return found

    def see(self, inputs: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.module(inputs).float()
        return found


class Published(nn.Module):
    """An image model of transformers: N x 1 x R x R in [-1, 1] to what it pools, N x F.

    Pictures are standardised as its folder says, or as models of ImageNet are.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, model: nn.Module, said: Mapping[str, Any]) -> None:
        super().__init__()
        self.model = model
        size = said.get("crop_size") or said.get("size") or {}
        self.input_side = int(size.get("height") or size.get("shortest_edge") or PUBLISHED_SIDE)
        for name, key, usual in (
            ("mean", "image_mean", IMAGENET_MEAN),
            ("deviation", "image_std", IMAGENET_DEVIATION),
        ):
            self.register_buffer(name, torch.tensor(said.get(key, usual)).view(1, -1, 1, 1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        pixels = ((images + 1) / 2 - self.mean) / self.deviation
        found = self.model(pixel_values=pixels)
        pooled = getattr(found, "pooler_output", None)
        if pooled is None:
            return found.last_hidden_state[:, 0]
        return pooled.flatten(1)


def load_published(folder: Path) -> ModuleTrunk:
    """Load a published image model from its folder; nothing is downloaded, no code of it runs."""
    from transformers import AutoModel  # takes seconds, and few trunks are such models

    try:
        model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        path = folder / "preprocessor_config.json"
        said = json.loads(path.read_text()) if path.is_file() else {}
        return ModuleTrunk(Published(model, said))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise RemediableError(
            f"{folder} holds no image model that could be loaded: {error}",
            remedy="Name the folder of an image model of transformers, with model.safetensors.",
        ) from error


def load_trunk(location: str) -> Trunk:
    """Returns a classifier or a published image model by its folder, or a torch module by
    ``package.module:callable``.
    """
    # MONAI takes seconds to import, and most trainings have no trunk to load.
    from generation.downstream.classifier import Classifier

    folder = Path(location)
    if folder.is_dir():
        if (folder / JUDGES_FILE).exists():
            raise same_as_the_judge(location)
        if (folder / CONFIG_FILE).exists():
            return load_published(folder)
        return Classifier.load(folder)
    module_name, separator, name = location.partition(":")
    if not separator:
        raise RemediableError(
            f"there is no trunk at {location!r}",
            remedy="Name the folder of a classifier, or package.module:callable.",
        )
    try:
        make = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise RemediableError(
            f"the trunk {location!r} cannot be imported: {error}",
            remedy="Name a callable of an installed package as package.module:callable.",
        ) from error
    return trunk_of(make(), location=location)


def trunk_of(module: object, *, location: str) -> ModuleTrunk:
    if not isinstance(module, nn.Module):
        raise RemediableError(
            f"{location!r} gives no torch module but {type(module).__name__}",
            remedy="Name a callable that takes nothing and gives a torch.nn.Module.",
        )
    if any(isinstance(part, FeatureNet) for part in module.modules()):
        raise same_as_the_judge(location)
    return ModuleTrunk(module)


def same_as_the_judge(location: str) -> RemediableError:
    return RemediableError(
        f"{location!r} is the kind of network that fine-tuned models are judged by (KID)",
        remedy="Give the reward model another trunk: a classifier's folder, for one.",
    )

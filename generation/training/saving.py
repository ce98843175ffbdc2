"""Trained networks on disk: weights in safetensors beside what they are, in JSON."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import torch
from pydantic import TypeAdapter, ValidationError
from safetensors.torch import load_file, save_file
from torch import nn

from generation.errors import RemediableError

Facts = TypeVar("Facts")
Weights = Mapping[str, torch.Tensor]


def save_network(net: nn.Module, facts: object, folder: Path, *, name: str) -> None:
    """Write ``name.safetensors`` and ``name.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {key: value.contiguous() for key, value in net.state_dict().items()}
    save_file(weights, folder / f"{name}.safetensors")
    content = TypeAdapter(type(facts)).dump_json(facts, indent=2)
    (folder / f"{name}.json").write_bytes(content)


def read_network(kind: type[Facts], folder: Path, *, name: str, what: str) -> tuple[Facts, Weights]:
    """Read the facts, of this kind, and the weights that ``save_network`` wrote.

    ``what`` says in an error what the folder should hold.
    """
    try:
        facts = TypeAdapter(kind).validate_json((folder / f"{name}.json").read_bytes())
        return facts, load_file(folder / f"{name}.safetensors")
    except (OSError, ValidationError) as error:
        raise RemediableError(
            f"{folder} holds no {what}: {error}",
            remedy=f"Name a folder that the training of a {what} has written.",
        ) from error

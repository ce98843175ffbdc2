"""What is kept of the real images to compare candidates with: numbers, never pixels."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from generation.errors import RemediableError
from generation.measures.features import VERSION, FeatureNet, describe_images, fit_side
from generation.training.images import ImageSet, plain

TENSORS_FILE = "reference.safetensors"
FACTS_FILE = "reference.json"
THRESHOLD_QUANTILE = 0.99


@dataclass(frozen=True)
class Reference:
    """It holds embeddings of the training images and features of held-out ones.

    ``train_embeddings`` is N x 128, ``heldout_features`` M x 256. ``threshold`` is
    the 99th percentile, over held-out images, of the similarity to the nearest
    training image; no patient is in both.
    """

    train_embeddings: torch.Tensor
    train_image_ids: tuple[str, ...]
    heldout_features: torch.Tensor
    threshold: float


def build_reference(net: FeatureNet, training: ImageSet, heldout: ImageSet) -> Reference:
    patients = {row.patient for row in training.rows}
    shared = sorted({row.patient for row in heldout.rows} & patients)
    if shared:
        raise RemediableError(
            f"{len(shared)} patients are both in training and held out, {shared[0]} among them",
            remedy="Split by patient.",
        )
    _, train_embeddings = describe_images(net, fit_side(plain(training.pixels)))
    heldout_features, heldout_embeddings = describe_images(net, fit_side(plain(heldout.pixels)))
    nearest = (heldout_embeddings @ train_embeddings.T).amax(dim=1)
    return Reference(
        train_embeddings,
        tuple(row.image_id for row in training.rows),
        heldout_features,
        nearest.quantile(THRESHOLD_QUANTILE).item(),
    )


def extended(known: Reference, net: FeatureNet, training: ImageSet, heldout: ImageSet) -> Reference:
    """Returns what a model learnt from before, and now; held-out images are those of the second
    time.
    """
    new = build_reference(net, training, heldout)
    _, embeddings = describe_images(net, fit_side(plain(heldout.pixels)))
    all_trained = torch.cat([known.train_embeddings, new.train_embeddings])
    nearest = (embeddings @ all_trained.T).amax(dim=1)
    return Reference(
        all_trained,
        known.train_image_ids + new.train_image_ids,
        new.heldout_features,
        nearest.quantile(THRESHOLD_QUANTILE).item(),
    )


def save_reference(reference: Reference, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        "train_embeddings": reference.train_embeddings.half().contiguous(),
        "heldout_features": reference.heldout_features.half().contiguous(),
    }
    save_file(tensors, folder / TENSORS_FILE)
    facts = {
        "features": VERSION,
        "threshold": reference.threshold,
        "train_image_ids": reference.train_image_ids,
    }
    (folder / FACTS_FILE).write_text(json.dumps(facts))


def load_reference(folder: Path) -> Reference:
    if not (folder / FACTS_FILE).is_file() or not (folder / TENSORS_FILE).is_file():
        raise RemediableError(
            f"{folder} holds nothing to compare images with ({FACTS_FILE}, {TENSORS_FILE})",
            remedy="Name the quality folder of a model made by pretrain.",
        )
    facts = json.loads((folder / FACTS_FILE).read_text())
    if facts["features"] != VERSION:
        raise RemediableError(
            f"{folder} was made with {facts['features']}, not {VERSION}",
            remedy="Run pretrain again with this version.",
        )
    tensors = load_file(folder / TENSORS_FILE)
    return Reference(
        tensors["train_embeddings"].float(),
        tuple(facts["train_image_ids"]),
        tensors["heldout_features"].float(),
        facts["threshold"],
    )

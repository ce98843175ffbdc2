"""What a cell of an experiment learns from and is measured on, read from its manifests."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from generation.downstream.draws import drawn_images
from generation.downstream.framing import load_masked
from generation.errors import RemediableError
from generation.specs import CellSpec, Split, TrainingImage
from generation.training.images import ImageSet, join, load_images, read_manifest


@dataclass(frozen=True)
class Examples:
    """They are images and, for a segmentation, their masks: uint8, N x 1 x 2R x 2R; masks 0 and
    255.
    """

    images: ImageSet
    masks: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def rows(self) -> tuple[TrainingImage, ...]:
        return self.images.rows


def joined(first: Examples, second: Examples) -> Examples:
    images = join(first.images, second.images)
    if first.masks is None or second.masks is None:
        return Examples(images)
    return Examples(images, torch.cat([first.masks, second.masks]))


@dataclass(frozen=True)
class CellExamples:
    """Real images that a cell may learn from, synthetic ones, and those it is measured on.

    ``validation`` is None where steps and threshold are fixed.
    """

    real: Examples | None
    synthetic: Examples | None
    validation: Examples | None
    test: Examples

    @property
    def own(self) -> Examples:
        """What the cell has of its own: its real images, or else its synthetic ones."""
        found = self.real or self.synthetic
        assert found is not None
        return found


def read_examples(spec: CellSpec) -> CellExamples:
    """Read what a cell needs; the same whatever the order of lines in its manifests."""
    rows = _read_sorted(spec.real)
    synthetic = _synthetic_rows(spec, rows) if spec.synthetic else []
    return CellExamples(
        real=_load(spec, chosen_rows(rows, spec.training_ids)) if spec.training_ids else None,
        synthetic=_load(spec, synthetic) if synthetic else None,
        validation=(
            _load(spec, rows, split="validation") if spec.stopping == "validation" else None
        ),
        test=_load(spec, rows, split="test"),
    )


def _read_sorted(manifest: str) -> list[TrainingImage]:
    rows = sorted(read_manifest(Path(manifest)), key=lambda row: row.image_id)
    if len({row.image_id for row in rows}) < len(rows):
        raise RemediableError(
            f"{manifest} names an image twice", remedy="Write the manifest again from its cohort."
        )
    return rows


def _load(spec: CellSpec, rows: list[TrainingImage], *, split: Split = "train") -> Examples:
    if spec.task == "classification":
        return Examples(load_images(rows, split=split, resolution=spec.resolution))
    masked = load_masked(rows, kind=spec.kind, split=split, resolution=spec.resolution)
    return Examples(masked.images, masked.masks)


def chosen_rows(rows: Sequence[TrainingImage], ids: Collection[str]) -> list[TrainingImage]:
    """Returns the training images of these ids; one of another split is refused."""
    wanted = set(ids)
    chosen = [row for row in rows if row.image_id in wanted and row.split == "train"]
    if missing := sorted(wanted - {row.image_id for row in chosen}):
        raise RemediableError(
            f"{missing[0]!r} is no image of the training split ({len(missing)} such ids)",
            remedy="Draw the cell's training images from the cohort's training split.",
        )
    return chosen


def _synthetic_rows(spec: CellSpec, real: Sequence[TrainingImage]) -> list[TrainingImage]:
    rows = _read_sorted(spec.synthetic)
    refuse_leaks(rows, real)
    return drawn_images(
        rows,
        spec.synthetic_count,
        findings=spec.findings,
        kind=spec.kind if spec.task == "segmentation" else "",
        seed=spec.seed,
    )


def refuse_leaks(synthetic: Sequence[TrainingImage], real: Sequence[TrainingImage]) -> None:
    """Refuse what would be learnt from and measured on: held-out images or their patients."""
    heldout = [row for row in real if row.split != "train"]
    patients = {row.patient for row in heldout} & {row.patient for row in synthetic}
    files = {row.path for row in heldout} & {row.path for row in synthetic}
    if patients or files:
        raise RemediableError(
            f"the synthetic images hold {min(files or patients)!r}, which is held out",
            remedy="Leave out of the set what comes from patients of validation and test.",
        )

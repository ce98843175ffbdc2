"""The content hash of a cell: what changes it, and what does not."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from generation.downstream.cell_hash import cell_hash
from generation.specs import CellSpec, TrainingImage

LINES = tuple(
    TrainingImage(
        path=f"{number}.png",
        image_id=f"image-{number}",
        patient=f"{number}",
        split="train",
        findings=("mass",) if number else (),
        masks={"lungs": f"{number}-mask.png"},
    )
    for number in range(2)
)


def write_manifest(folder: Path, lines: tuple[TrainingImage, ...] = LINES) -> Path:
    """With files that hold their own names."""
    folder.mkdir()
    adapter = TypeAdapter(TrainingImage)
    placed = []
    for line in lines:
        for name in (line.path, *line.masks.values()):
            (folder / name).write_text(name)
        placed.append(
            replace(
                line,
                path=str(folder / line.path),
                masks={kind: str(folder / name) for kind, name in line.masks.items()},
            )
        )
    manifest = folder / "manifest.jsonl"
    manifest.write_bytes(b"".join(adapter.dump_json(line) + b"\n" for line in placed))
    return manifest


def spec_for(manifest: Path) -> CellSpec:
    return CellSpec(
        task="classification",
        arm="curated",
        real=str(manifest),
        training_ids=("image-0", "image-1"),
        synthetic=str(manifest),
        synthetic_count=2,
        findings=("mass",),
    )


@pytest.fixture
def spec(tmp_path: Path) -> CellSpec:
    return spec_for(write_manifest(tmp_path / "here"))


def test_where_files_lie_does_not_matter(spec: CellSpec, tmp_path: Path) -> None:
    elsewhere = spec_for(write_manifest(tmp_path / "there", LINES[::-1]))
    assert cell_hash(elsewhere) == cell_hash(spec)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"synthetic_count": 1},
        {"training_ids": ("image-0",)},
        {"arm": "unfiltered"},
        {"resolution": 64},
        {"stopping": "fixed"},
    ],
)
def test_each_setting_matters(spec: CellSpec, changes: dict) -> None:
    assert cell_hash(replace(spec, **changes)) != cell_hash(spec)


@pytest.mark.parametrize("name", ["1.png", "0-mask.png"])
def test_what_the_files_hold_matters(spec: CellSpec, tmp_path: Path, name: str) -> None:
    before = cell_hash(spec)
    (tmp_path / "here" / name).write_text("other pixels")
    assert cell_hash(spec) != before


def test_labels_and_splits_matter(spec: CellSpec, tmp_path: Path) -> None:
    for name, change in (("a", {"findings": ()}), ("b", {"split": "test"})):
        changed = write_manifest(tmp_path / name, (LINES[0], replace(LINES[1], **change)))
        assert cell_hash(spec_for(changed)) != cell_hash(spec)


def test_known_hashes_are_taken_instead_of_reading(spec: CellSpec, tmp_path: Path) -> None:
    asked = []

    def known(path: str) -> str:
        asked.append(Path(path).name)
        return "0" * 64

    assert len(cell_hash(spec, sha256_of=known)) == 64
    assert sorted(asked) == sorted(2 * ["0.png", "1.png", "0-mask.png", "1-mask.png"])


def test_the_web_side_can_hash_without_torch() -> None:
    code = "import sys, generation.downstream.cell_hash; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

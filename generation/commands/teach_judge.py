"""python -m generation.commands.teach_judge INSTRUCTIONS OUT [--vlm bundled] [--model bundled].

Teaches a judge of candidates on real images through a generator's autoencoder. Its figures are of
the patients held back, over several splits, and of a source that the autoencoder never saw.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from generation.diffusion.loading import load_pipeline, native_side
from generation.errors import RemediableError
from generation.specs import BUNDLED, ModelSource
from generation.statistics.ranking import auroc
from generation.vlm.instructions.folders import picture_folders
from generation.vlm.judge import Judge, round_trip, teach
from generation.vlm.model.rows import Row, read_rows, statements
from generation.vlm.model.seen import look_at, read_picture
from generation.vlm.model.vlms import OwnVlm, load_vlm

HELD_SHARE = 0.25
SPLITS = 5
PART = 64
KEPT = "round-trips.npz"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instructions", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--vlm", default=BUNDLED)
    parser.add_argument("--model", default=BUNDLED, help="the generator: bundled, or a folder")
    parser.add_argument("--sources", nargs="+", default=["nih"], help="to teach on")
    parser.add_argument("--unseen", nargs="*", default=["hannover"], help="to validate on alone")
    arguments = parser.parse_args()
    try:
        figures = make(arguments)
    except RemediableError as error:
        sys.stderr.write(f"{error} {error.remedy}\n")
        return 1
    print(json.dumps(figures, indent=2))
    return 0


def make(arguments: argparse.Namespace) -> dict[str, object]:
    vlm = load_vlm(arguments.vlm)
    if not isinstance(vlm, OwnVlm):
        raise RemediableError(
            f"{arguments.vlm} has an eye of another family.",
            remedy="Name a VLM that was trained here.",
        )
    used = {*arguments.sources, *arguments.unseen}
    rows = [row for split in ("train", "validation", "test")
            for row in read_rows(arguments.instructions, split)
            if row.source in used and row.images]  # fmt: skip
    said = statements(rows)
    names = sorted(said)
    cells = seen_through(arguments, vlm, names)
    patients = patients_of(rows)
    own = np.array([name.split("/")[0] in arguments.sources for name in names])
    groups = np.array([patients[name] for name in names])
    truths = [said[name] for name in names]
    taught = [one for one, is_own in zip(truths, own, strict=True) if is_own]
    judges = [
        teach(vlm, arguments.vlm, cells[own], taught, held_back(groups[own], seed=seed))
        for seed in range(SPLITS)
    ]
    judges[0].save(arguments.out)
    figures: dict[str, Mapping[str, float | None]] = {
        "through the autoencoder, held-out patients": means(judges)
    }
    for source in arguments.unseen:
        chosen = np.array([name.startswith(f"{source}/") for name in names])
        known = [one for one, is_chosen in zip(truths, chosen, strict=True) if is_chosen]
        figures[f"of {source}, which the autoencoder never saw"] = of_others(
            judges[0], cells[chosen], known
        )
    (arguments.out / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    return dict(figures)


def seen_through(arguments: argparse.Namespace, vlm: OwnVlm, names: list[str]) -> np.ndarray:
    """What the eye sees of each whole picture after the round trip, N x F; looked at once."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    kept = arguments.out / KEPT
    if kept.is_file():
        content = np.load(kept)
        if content["names"].tolist() == names:
            return np.asarray(content["cells"], dtype=np.float32)
    pipeline = load_pipeline(ModelSource(base=arguments.model))
    folders = picture_folders(arguments.instructions)
    parts = []
    for start in range(0, len(names), PART):
        pictures = [read_picture(name, folders) for name in names[start : start + PART]]
        passed = round_trip(pipeline.vae.float(), pictures, side=native_side(pipeline))
        parts.append(look_at(vlm.eye, passed)[:, 0].float().numpy())
    cells = np.concatenate(parts)
    np.savez(kept, names=np.array(names), cells=cells.astype(np.float16))
    return cells


def patients_of(rows: list[Row]) -> dict[str, str]:
    return {row.images[0]: row.patient for row in rows}


def held_back(patients: np.ndarray, *, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).permutation(np.unique(patients))
    return np.isin(patients, drawn[: int(HELD_SHARE * len(drawn))])


def means(judges: list[Judge]) -> dict[str, float]:
    phrases = sorted({phrase for judge in judges for phrase in judge.facts.auroc})
    return {
        phrase: round(float(np.mean([judge.facts.auroc[phrase] for judge in judges
                                     if phrase in judge.facts.auroc])), 3)
        for phrase in phrases
    }  # fmt: skip


def of_others(
    judge: Judge, cells: np.ndarray, said: list[dict[str, bool]]
) -> dict[str, float | None]:
    with torch.no_grad():
        scores = judge.heads(torch.from_numpy(cells.astype(np.float32))).numpy()
    found: dict[str, float | None] = {}
    for place, phrase in enumerate(judge.facts.phrases):
        known = np.array([phrase in one for one in said])
        truth = np.array([one.get(phrase, False) for one in said])
        if known.any() and (area := auroc(truth[known], scores[known, place])) is not None:
            found[phrase] = round(area, 3)
    return found


if __name__ == "__main__":
    sys.exit(main())

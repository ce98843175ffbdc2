"""python -m generation.commands.teach_judge INSTRUCTIONS OUT [--vlm bundled] [--model bundled].

Teaches a judge of candidates on real images through a generator's autoencoder. Its figures are of
the patients held back, over several splits, and of a source that the autoencoder never saw.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from generation.diffusion.loading import load_pipeline, native_side
from generation.errors import RemediableError
from generation.specs import BUNDLED, ModelSource
from generation.statistics.ranking import auroc
from generation.vlm.instructions.folders import picture_folders
from generation.vlm.judge import (
    REFERENCE,
    Judge,
    round_trip,
    teach,
    validate_absence,
    with_more,
)
from generation.vlm.model.rows import Row, read_rows, statements
from generation.vlm.model.seen import look_at, read_picture
from generation.vlm.model.vlms import OwnVlm, load_vlm
from generation.vlm.sides import SideFigures, side_area, sides_of, teach_side

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
    parser.add_argument("--side", default="nlm_tb", help="whose reports or boxes teach the side")
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
    used = {*arguments.sources, *arguments.unseen, arguments.side}
    rows = [row for split in ("train", "validation", "test")
            for row in read_rows(arguments.instructions, split)
            if row.source in used and row.images]  # fmt: skip
    said, sides = statements(rows), sides_of(rows)
    names = sorted(said)
    every = seen_through(arguments, vlm, names)
    cells = every[:, 0]
    patients = patients_of(rows)
    own = np.array([name.split("/")[0] in arguments.sources for name in names])
    groups = np.array([patients[name] for name in names])
    truths = [said[name] for name in names]
    taught = [one for one, is_own in zip(truths, own, strict=True) if is_own]
    judges = [
        teach(vlm, arguments.vlm, cells[own], taught, held_back(groups[own], seed=seed))
        for seed in range(SPLITS)
    ]
    beside = []
    for seed, judge in enumerate(judges):
        held = held_back(groups[own], seed=seed)
        asked = [one for one, is_held in zip(taught, held, strict=True) if is_held]
        beside.append(validate_absence(judge, cells[own][held], asked))
    told = Sided(names=names, cells=every, groups=groups, sides=sides)
    taught_sides = [told.teach(arguments, seed=seed) for seed in range(SPLITS)]
    with_more(judges[0], others=beside[0], side=taught_sides[0]).save(arguments.out)
    figures: dict[str, Mapping[str, float | None]] = {
        "through the autoencoder, held-out patients": means(judges),
        "absence of other findings, held-out patients": {
            "mean of splits": mean_of(one and one[0] for one in beside)
        },
        "side, left against right": {
            f"of {arguments.side}, held-out patients": mean_of(
                one and one[1].area for one in taught_sides
            ),
            f"of {', '.join(arguments.sources)}, by boxes": mean_of(
                one and one[1].elsewhere for one in taught_sides
            ),
            "pictures taught and held": float(told.count(arguments.side)),
            "pictures with boxes": float(sum(map(told.count, arguments.sources))),
        },
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
    """Returns what the eye sees of each picture after the round trip, N x cells x F; looked at
    once.
    """
    arguments.out.mkdir(parents=True, exist_ok=True)
    kept = arguments.out / KEPT
    if kept.is_file():
        content = np.load(kept)
        if content["names"].tolist() == names and content["cells"].ndim == 3:
            return np.asarray(content["cells"], dtype=np.float32)
    pipeline = load_pipeline(ModelSource(base=arguments.model))
    folders = picture_folders(arguments.instructions)
    parts = []
    for start in range(0, len(names), PART):
        pictures = [read_picture(name, folders) for name in names[start : start + PART]]
        passed = round_trip(pipeline.vae.float(), pictures, side=native_side(pipeline))
        parts.append(look_at(vlm.eye, passed).numpy())
    cells = np.concatenate(parts)
    np.savez(kept, names=np.array(names), cells=cells.astype(np.float16))
    return cells


@dataclass(frozen=True, kw_only=True)
class Sided:
    """Pictures of which one side alone is known to show something."""

    names: list[str]
    cells: np.ndarray
    groups: np.ndarray
    sides: Mapping[str, bool]

    def of(self, *sources: str) -> np.ndarray:
        return np.array([name in self.sides and name.split("/")[0] in sources
                         for name in self.names])  # fmt: skip

    def count(self, source: str) -> int:
        return int(self.of(source).sum())

    def is_left(self, chosen: np.ndarray) -> np.ndarray:
        names = [self.names[place] for place in np.flatnonzero(chosen)]
        return np.array([self.sides[name] for name in names], dtype=bool)

    def teach(
        self, arguments: argparse.Namespace, *, seed: int
    ) -> tuple[nn.Linear, SideFigures] | None:
        """Returns the head of one split, with its figure on the boxes of what the other heads
        learn.
        """
        own, others = self.of(arguments.side), self.of(*arguments.sources)
        if not own.any():
            return None
        held = held_back(self.groups[own], seed=seed)
        found = teach_side(self.cells[own], self.is_left(own), held, reference=REFERENCE)
        if found is None or not others.any():
            return found
        head, figures = found
        elsewhere = side_area(head, self.cells[others], self.is_left(others))
        return head, replace(figures, elsewhere=elsewhere)


def mean_of(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(float(np.mean(known)), 3) if known else None


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

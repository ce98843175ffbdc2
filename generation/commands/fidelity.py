"""python -m generation.commands.fidelity: does the bundled model show what it is asked for?

Masks are those of ``generation/quality/lung_masks.png``; prompts are of ages that no default
prompt has. A segmenter and a classifier that saw real training images only read the candidates;
``--manifest`` and ``--masked`` name manifests with the real held-out images that they are held
against; ``manage.py measure_fidelity`` writes them from cohorts.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from generation.conditioning.findings import NORMAL
from generation.conditioning.masks import encode_mask
from generation.conditioning.prompts import prompt_set
from generation.diffusion.loading import BUNDLED_FOLDER, Pipeline, load_pipeline
from generation.diffusion.sampling import sample
from generation.downstream.classifier import Classifier
from generation.downstream.framing import load_masked
from generation.downstream.segmenter import Segmenter, dice_of
from generation.errors import RemediableError
from generation.measures.features import features_of
from generation.measures.nearest_training_image import NearestTrainingImage
from generation.quality.fidelity import MaskFidelity, mask_fidelity
from generation.quality.kid import kid
from generation.quality.mask_sheet import read_mask_sheet
from generation.specs import MaskFile, ModelSource, SampleSpec, TrainingImage
from generation.statistics.intervals import Interval, share
from generation.statistics.ranking import auroc_of_groups
from generation.training.devices import device
from generation.training.images import read_manifest

FINDING = "pneumonia"
UNSEEN_AGES_YEARS = (25, 35, 45, 55, 65, 75)
"""Ages that no prompt of the default set names."""
LABELLED = 200
SEED = 500_000

MIN_DICE_SHARE = 0.9
MIN_SPECIFIC = 0.5
MAX_AUROC_DIFFERENCE = 0.07
MAX_COPIES = 0.05


@dataclass(frozen=True)
class Judges:
    """Models that saw real training images only."""

    segmenter: Segmenter
    classifier: Classifier


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", type=Path, default=BUNDLED_FOLDER)
    parser.add_argument("--proxy", type=Path, default=BUNDLED_FOLDER / "proxy")
    parser.add_argument("--manifest", type=Path, required=True, help="images with findings")
    parser.add_argument("--masked", type=Path, required=True, help="images with lung masks")
    parser.add_argument("--sheet", type=Path, help="a PNG to write, of candidates and masks")
    arguments = parser.parse_args()
    try:
        judges = Judges(
            Segmenter.load(arguments.proxy / "segmenter"),
            Classifier.load(arguments.proxy / "classifier"),
        )
        held = report(
            load_pipeline(ModelSource(base=str(arguments.model)), device=str(device())),
            judges,
            NearestTrainingImage.load(arguments.model / "quality"),
            labelled=read_manifest(arguments.manifest),
            masked=read_manifest(arguments.masked),
            sheet=arguments.sheet,
        )
    except RemediableError as error:
        sys.stderr.write(f"{error} {error.remedy}\n")
        return 2
    return 0 if held else 1


def report(
    pipeline: Pipeline,
    judges: Judges,
    nearest: NearestTrainingImage,
    *,
    labelled: list[TrainingImage],
    masked: list[TrainingImage],
    sheet: Path | None,
) -> bool:
    """Print every figure beside its limit; whether all are kept."""
    masks = read_mask_sheet()
    by_mask = follow_masks(pipeline, masks)
    if sheet is not None:
        write_sheet(by_mask, masks, sheet)
    positive, negative = follow_labels(pipeline)
    held = [
        report_masks(judges.segmenter, by_mask, masks, masked),
        report_labels(judges.classifier, positive, negative, labelled),
        report_quality(nearest, [*by_mask, *positive, *negative]),
    ]
    return all(held)


def follow_masks(pipeline: Pipeline, masks: np.ndarray) -> list[np.ndarray]:
    """Returns a candidate for each mask, with unseen prompts of every finding of the default
    set.
    """
    prompts = prompt_set(
        (NORMAL, FINDING, "infiltration", "effusion"), ages_years=UNSEEN_AGES_YEARS
    )
    with tempfile.TemporaryDirectory() as folder:
        recipes = []
        for number, (mask, prompt) in enumerate(zip(masks, cycle(prompts), strict=False)):
            file = Path(folder) / f"{number}.png"
            file.write_bytes(encode_mask(mask))
            chosen = (MaskFile(kind="lungs", path=str(file)),)
            recipes.append(SampleSpec(prompt=prompt, seed=SEED + number, mode="tm2i", masks=chosen))
        return sample(pipeline, recipes)


def follow_labels(pipeline: Pipeline) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Returns candidates of the finding and of none, half each, alike in view, sex and age."""
    groups: list[list[np.ndarray]] = []
    for finding in (FINDING, NORMAL):
        prompts = islice(cycle(prompt_set((finding,), ages_years=UNSEEN_AGES_YEARS)), LABELLED // 2)
        start = SEED + 1_000 * (1 + len(groups))
        recipes = [
            SampleSpec(prompt=prompt, seed=start + number) for number, prompt in enumerate(prompts)
        ]
        groups.append(sample(pipeline, recipes))
    return groups[0], groups[1]


def report_masks(
    segmenter: Segmenter,
    candidates: Sequence[np.ndarray],
    masks: np.ndarray,
    masked: list[TrainingImage],
) -> bool:
    real = torch.cat(
        [
            dice_of(segmenter.net, heldout)
            for split in ("validation", "test")
            if len(heldout := load_masked(masked, kind="lungs", split=split, resolution=128))
        ]
    )
    drawn = segmenter.probabilities(candidates) > 0.5
    fidelity: MaskFidelity = mask_fidelity(drawn, torch.from_numpy(masks))
    reached = fidelity.matched.value / real.mean().item()
    say("lung masks, Dice with the mask given", fidelity.matched)
    say("lung masks, Dice with other masks", fidelity.shuffled)
    say(f"  real held-out Dice ({len(real)} images)", f"{real.mean():.3f}")
    is_reached = say_held(
        "  of the real held-out Dice",
        reached,
        f"at least {MIN_DICE_SHARE}",
        reached >= MIN_DICE_SHARE,
    )
    specific = fidelity.specific
    is_specific = say_held(
        "  specific to its mask",
        specific,
        f"at least {MIN_SPECIFIC}",
        specific.value >= MIN_SPECIFIC,
    )
    return is_reached and is_specific


def report_labels(
    classifier: Classifier,
    positive: Sequence[np.ndarray],
    negative: Sequence[np.ndarray],
    labelled: list[TrainingImage],
) -> bool:
    heldout = [row for row in labelled if row.split != "train"]
    with_finding = read_pictures([row for row in heldout if FINDING in row.findings])
    without = read_pictures([row for row in heldout if not row.findings])
    column = classifier.config.findings.index(FINDING)

    def scores(pictures: Sequence[np.ndarray]) -> np.ndarray:
        found: np.ndarray = classifier.probabilities(pictures)[:, column].numpy()
        return found

    real = auroc_of_groups(scores(with_finding), scores(without))
    made = auroc_of_groups(scores(positive), scores(negative))
    difference = made.value - real.value
    say(f"{FINDING} or {NORMAL}, AUROC on {LABELLED} candidates", made)
    say(f"  on real held-out ({len(with_finding)} and {len(without)})", real)
    return say_held(
        "  difference",
        f"{difference:+.3f}",
        f"within {MAX_AUROC_DIFFERENCE}",
        abs(difference) <= MAX_AUROC_DIFFERENCE,
    )


def report_quality(nearest: NearestTrainingImage, candidates: list[np.ndarray]) -> bool:
    estimate = kid(features_of(nearest.net, candidates), nearest.reference.heldout_features)
    half = 1.96 * estimate.standard_error
    say(
        "KID, held out",
        Interval(estimate.value, estimate.value - half, estimate.value + half),
    )
    copies = share(round(nearest.copies_share(candidates) * len(candidates)), len(candidates))
    return say_held("copies", copies, f"at most {MAX_COPIES}", copies.value <= MAX_COPIES)


def read_pictures(rows: Sequence[TrainingImage]) -> list[np.ndarray]:
    pictures = []
    for row in rows:
        with Image.open(row.path) as picture:
            pictures.append(np.asarray(picture.convert("L")))
    return pictures


def write_sheet(candidates: Sequence[np.ndarray], masks: np.ndarray, path: Path) -> None:
    """Write each candidate beside itself with its mask's outline drawn on it."""
    tiles = []
    for picture, mask in zip(candidates, masks, strict=True):
        inner = mask.copy()
        inner[1:-1, 1:-1] = (
            mask[1:-1, 1:-1] & mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
        )
        outlined = np.where(mask & ~inner, 255, picture)
        tiles.append(np.hstack([picture, outlined]))
    rows = [np.hstack(tiles[start : start + 5]) for start in range(0, len(tiles), 5)]
    Image.fromarray(np.vstack(rows).astype(np.uint8)).save(path)


def say(name: str, figure: object) -> None:
    sys.stdout.write(f"{name:<48} {figure}\n")


def say_held(name: str, figure: object, limit: str, held: bool) -> bool:
    written = f"{figure:.3f}" if isinstance(figure, float) else str(figure)
    say(name, f"{written}, {limit}: {'kept' if held else 'MISSED'}")
    return held


if __name__ == "__main__":
    sys.exit(main())

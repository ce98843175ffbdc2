"""python -m generation.commands.model_figures MODEL_DIR: the figures of a model card.

With ``--manifest`` (the one that the model was trained with) also what needs real images.
"""

import argparse
import sys
from pathlib import Path

import torch

from generation.commands.evaluate_model import figures_of
from generation.errors import RemediableError
from generation.measures.features import features_of
from generation.measures.nearest_training_image import NearestTrainingImage
from generation.quality.diversity import mean_ms_ssim
from generation.quality.kid import Kid, kid
from generation.specs import BUNDLED, EvaluationSpec, ModelSource, SampleSpec
from generation.training.images import augment, load_images, pictures_of, plain, read_manifest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--manifest", type=Path)
    parser.add_argument("--count", type=int, default=256)
    arguments = parser.parse_args()
    try:
        report_candidates(arguments.model, count=arguments.count)
        if arguments.manifest:
            report_real(arguments.model, arguments.manifest)
    except RemediableError as error:
        sys.stderr.write(f"{error} {error.remedy}\n")
        return 1
    return 0


def report_candidates(model: Path, *, count: int) -> None:
    spec = EvaluationSpec(model=ModelSource(base=str(model)), images=count, judge=BUNDLED)
    figures, notes = figures_of(spec, lambda *_: None)
    print(f"candidates {count}", *figures, *notes, sep="\n")


def report_real(model: Path, manifest: Path) -> None:
    """Print the same figures of real images, which the candidates' are compared with."""
    rows = read_manifest(manifest)
    pixels = {
        split: load_images(rows, split=split, resolution=SampleSpec.width).pixels
        for split in ("train", "validation", "test")
    }
    nearest = NearestTrainingImage.load(model / "quality")
    training = pictures_of(plain(pixels["train"]))
    heldout = pictures_of(plain(torch.cat([pixels["validation"], pixels["test"]])))
    versions = pictures_of(augment(pixels["train"], torch.Generator().manual_seed(0)))
    features, heldout_features = (
        features_of(nearest.net, pictures) for pictures in (training, heldout)
    )
    print(f"altered copies found  {nearest.copies_share(versions):.1%}")
    print(f"held out over it      {nearest.copies_share(heldout):.1%}")
    print(f"KID, real training    {_written(kid(features, heldout_features))}")
    print(f"MS-SSIM, real         {mean_ms_ssim([heldout[:32]]):.3f}")


def _written(estimate: Kid) -> str:
    return f"{estimate.value:.3f} (standard error {estimate.standard_error:.3f})"


if __name__ == "__main__":
    sys.exit(main())

"""python -m generation.commands.model_figures MODEL_DIR: the figures of a model card.

With ``--manifest`` (the one that the model was trained with) also what needs real images.
"""

import argparse
import sys
import time
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import torch

from generation.conditioning.prompts import default_prompts
from generation.diffusion.loading import load_pipeline
from generation.diffusion.sampling import sample
from generation.errors import RemediableError
from generation.measures.features import features_of
from generation.measures.nearest_training_image import NearestTrainingImage
from generation.quality.diversity import mean_ms_ssim
from generation.quality.kid import Kid, kid
from generation.specs import ModelSource, SampleSpec
from generation.training.devices import device
from generation.training.images import augment, load_images, plain, read_manifest

SEEDS = 4
"""Candidates of each prompt."""


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
    pipeline = load_pipeline(ModelSource(base=str(model)), device=str(device()))
    prompts = list(islice(cycle(default_prompts()), count // SEEDS))
    recipes = [
        SampleSpec(prompt=prompt, seed=len(prompts) * seed + number)
        for number, prompt in enumerate(prompts)
        for seed in range(SEEDS)
    ]
    start_s = time.monotonic()
    pictures = sample(pipeline, recipes)
    elapsed_s = time.monotonic() - start_s
    groups = [pictures[start : start + SEEDS] for start in range(0, len(pictures), SEEDS)]
    nearest = NearestTrainingImage.load(model / "quality")
    similarity, indexes = nearest.similarity(pictures)
    heldout = nearest.reference.heldout_features
    print(f"candidates            {len(pictures)}")
    print(f"seconds a candidate   {elapsed_s / len(pictures):.2f}")
    print(f"copies                {nearest.copies_share(pictures):.1%} (at most 5 %)")
    print(f"similarity, median    {similarity.median():.3f} (threshold {nearest.threshold:.3f})")
    print(f"nearest, distinct     {len(indexes.unique())} training images")
    print(f"KID, held out         {_written(kid(features_of(nearest.net, pictures), heldout))}")
    print(f"MS-SSIM, one prompt   {mean_ms_ssim(groups):.3f}")
    print(f"MS-SSIM, all prompts  {mean_ms_ssim([pictures[::SEEDS][:32]]):.3f}")


def report_real(model: Path, manifest: Path) -> None:
    """Print the same figures of real images, which the candidates' are compared with."""
    rows = read_manifest(manifest)
    pixels = {
        split: load_images(rows, split=split, resolution=SampleSpec.width).pixels
        for split in ("train", "validation", "test")
    }
    nearest = NearestTrainingImage.load(model / "quality")
    training = _pictures(plain(pixels["train"]))
    heldout = _pictures(plain(torch.cat([pixels["validation"], pixels["test"]])))
    versions = _pictures(augment(pixels["train"], torch.Generator().manual_seed(0)))
    features, heldout_features = (
        features_of(nearest.net, pictures) for pictures in (training, heldout)
    )
    print(f"altered copies found  {nearest.copies_share(versions):.1%}")
    print(f"held out over it      {nearest.copies_share(heldout):.1%}")
    print(f"KID, real training    {_written(kid(features, heldout_features))}")
    print(f"MS-SSIM, real         {mean_ms_ssim([heldout[:32]]):.3f}")


def _pictures(images: torch.Tensor) -> list[np.ndarray]:
    """Returns 8-bit grey of N x 1 x H x W in [-1, 1]."""
    return list(((images[:, 0] + 1) * 127.5).round().byte().numpy())


def _written(estimate: Kid) -> str:
    return f"{estimate.value:.3f} (standard error {estimate.standard_error:.3f})"


if __name__ == "__main__":
    sys.exit(main())

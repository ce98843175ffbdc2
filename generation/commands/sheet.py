"""python -m generation.commands.sheet MODEL OUT.png: candidates of a model on one sheet."""

import argparse
import sys
from itertools import cycle, islice
from pathlib import Path

from PIL import Image

from generation.conditioning.prompts import default_prompts
from generation.diffusion.loading import load_pipeline
from generation.diffusion.sampling import sample
from generation.errors import RemediableError
from generation.quality.sheets import contact_sheet
from generation.specs import ModelSource, SampleSpec
from generation.training.devices import device


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="bundled, a diffusers folder, or a hub id")
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--steps", type=int, default=SampleSpec.steps)
    parser.add_argument("--guidance", type=float, default=SampleSpec.guidance_scale)
    parser.add_argument("--adapter", action="append", default=[], help="oldest first")
    arguments = parser.parse_args()
    source = ModelSource(base=arguments.model, adapters=tuple(arguments.adapter))
    recipes = [
        SampleSpec(
            prompt=prompt, seed=seed, steps=arguments.steps, guidance_scale=arguments.guidance
        )
        for seed, prompt in enumerate(islice(cycle(default_prompts()), arguments.count))
    ]
    try:
        pictures = sample(load_pipeline(source, device=str(device())), recipes)
    except RemediableError as error:
        sys.stderr.write(f"{error} {error.remedy}\n")
        return 1
    Image.fromarray(contact_sheet(pictures)).save(arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())

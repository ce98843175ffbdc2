"""python -m benchmarks.judge JUDGE [--model bundled] [--seeds 6] [--guidance 1.0 3.0].

What a judge sees of candidates of a model, against what their prompts asked for: for view, sex,
age band and pneumonia the area under the ROC curve between candidates that were asked for it and
those that were not, with an interval, and what the model was not shown to follow; and how often
view, sex and finding are right together, which chance does one time in eight.
"""

import argparse
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from generation.conditioning.facts import facts_of, phrases_of
from generation.conditioning.findings import NORMAL
from generation.conditioning.prompts import prompt_set
from generation.diffusion.loading import load_pipeline
from generation.diffusion.sampling import sample
from generation.specs import BUNDLED, ModelSource, SampleSpec
from generation.statistics.intervals import share
from generation.statistics.ranking import auroc_of_groups
from generation.vlm.judge import Judge

PHRASES = {
    "view": "view PA",
    "sex": "sex male",
    "age": "age 65 and over",
    "finding": "pneumonia",
}
AGES_YEARS = (30, 70)
RIVALS = {
    "view": ("view PA", "view AP"),
    "sex": ("sex male", "sex female"),
    "finding": ("pneumonia", NORMAL),
}
"""The first of two is what is seen where it is the likelier one."""
CHANCE = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("judge", type=Path)
    parser.add_argument("--model", default=BUNDLED)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--guidance", type=float, nargs="+", default=[1.0, 3.0])
    arguments = parser.parse_args()
    judge = Judge.load(arguments.judge)
    prompts = prompt_set((NORMAL, "pneumonia"), ages_years=AGES_YEARS)
    asked = [(prompt, seed) for prompt in prompts for seed in range(arguments.seeds)]
    pipeline = load_pipeline(ModelSource(base=arguments.model))
    for guidance in arguments.guidance:
        recipes = [SampleSpec(prompt=prompt, seed=seed, guidance_scale=guidance)
                   for prompt, seed in asked]  # fmt: skip
        candidates = sample(pipeline, recipes)
        started_s = time.process_time()
        found = judge.probabilities(candidates)
        spent_s = (time.process_time() - started_s) / len(recipes)
        print(f"guidance {guidance}, {len(recipes)} candidates, judged in {spent_s:.3f} CPU s each")
        report(judge, [prompt for prompt, _ in asked], found)


def report(judge: Judge, prompts: list[str], found: list[dict[str, float]]) -> None:
    """A line an attribute: area, and the share that reaches what real images do."""
    for attribute, phrase in PHRASES.items():
        wanted = np.array([phrase in phrases_of(attribute, facts_of(one)) for one in prompts])
        scores = np.array([one[phrase] for one in found])
        area = auroc_of_groups(scores[wanted], scores[~wanted])
        seen = [judge.attribute(attribute, facts_of(prompt), one)
                for prompt, one in zip(prompts, found, strict=True)]  # fmt: skip
        reached = np.mean([one.is_reached for one in seen if one])
        verdict = "" if area.low > CHANCE else ": not shown to follow it"
        print(f"{attribute} ({phrase}): AUC {area}, reached {reached:.2f}{verdict}")
    right = [all_right(prompt, one) for prompt, one in zip(prompts, found, strict=True)]
    print(f"view, sex and finding right together: {share(sum(right), len(right))}")


def all_right(prompt: str, seen: Mapping[str, float]) -> bool:
    """Returns whether of each two rivals the likelier one is what the prompt asked for."""
    facts = facts_of(prompt)
    return all(
        (seen[one] > seen[other]) == (one in phrases_of(attribute, facts))
        for attribute, (one, other) in RIVALS.items()
    )


if __name__ == "__main__":
    main()

"""python -m benchmarks.fits INSTRUCTIONS WORK [--model bundled] [--tries 4] [--guidance 1.0].

What it brings to try images again until they fit their prompts, said by a judge that did not
choose. The one that chooses looks with the bundled VLM's eye and learns from half of the
patients; the second one has the features of the bundled classifier of findings and learns from
the other half. Each of 48 prompts gets an image, and up to so many tries until finding, view and
sex fit; given are the shares of which both say that all three are right, among the first images,
among those that fitted, and among real ones, and how many images were made for one that fits.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from benchmarks.judge import all_right
from generation.commands.teach_judge import held_back, patients_of
from generation.conditioning.facts import attribute_of, facts_of
from generation.conditioning.findings import NORMAL
from generation.conditioning.fits import Attribute, is_shown
from generation.conditioning.prompts import prompt_set
from generation.diffusion.loading import BUNDLED_FOLDER, load_pipeline, native_side
from generation.diffusion.sampling import sample
from generation.downstream.classifier import Classifier
from generation.specs import BUNDLED, ModelSource, SampleSpec
from generation.statistics.intervals import share
from generation.statistics.ranking import auroc
from generation.vlm.benchmark.probe import STRENGTH, fit
from generation.vlm.instructions.folders import picture_folders
from generation.vlm.judge import Judge, round_trip, teach
from generation.vlm.model.rows import read_rows, statements
from generation.vlm.model.seen import look_at, read_picture
from generation.vlm.model.vlms import OwnVlm, load_vlm

AGES_YEARS = (20, 30, 40, 50, 60, 70)
ASKED: tuple[Attribute, ...] = ("finding", "view", "sex")
PHRASES = ("view PA", "view AP", "sex male", "sex female", "pneumonia", NORMAL)
PART = 24
SOURCE = "nih"


class SecondJudge:
    """Linear heads on the features of the bundled classifier, standardised."""

    def __init__(self, cells: np.ndarray, said: Sequence[Mapping[str, bool]], held: np.ndarray):
        self.net = Classifier.load(BUNDLED_FOLDER / "proxy" / "classifier")
        self.mean, self.scale = cells[~held].mean(0), cells[~held].std(0) + 1e-6
        rows = (cells - self.mean) / self.scale / np.sqrt(cells.shape[1])
        self.heads, self.areas = {}, {}
        for phrase in PHRASES:
            known = np.array([phrase in one for one in said])
            truth = np.array([one.get(phrase, False) for one in said])
            taught, asked = known & ~held, known & held
            self.heads[phrase] = fit(rows[taught], truth[taught], strength=STRENGTH)
            weight, bias = self.heads[phrase]
            self.areas[phrase] = auroc(truth[asked], rows[asked] @ weight + bias)

    def probabilities(self, pictures: Sequence[np.ndarray[Any, Any]]) -> list[dict[str, float]]:
        cells = self.net.features(pictures).numpy()
        rows = (cells - self.mean) / self.scale / np.sqrt(cells.shape[1])
        seen = {name: 1 / (1 + np.exp(-(rows @ weight + bias)))
                for name, (weight, bias) in self.heads.items()}  # fmt: skip
        return [{name: float(seen[name][place]) for name in PHRASES}
                for place in range(len(pictures))]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instructions", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--model", default=BUNDLED)
    parser.add_argument("--tries", type=int, default=4)
    parser.add_argument("--guidance", type=float, default=1.0)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    pipeline = load_pipeline(ModelSource(base=arguments.model))
    chooser, second, real = judges(arguments, pipeline)
    print(f"second judge, AUC on the chooser's patients: {second.areas}", flush=True)
    started = process_time()
    firsts, lasts, made = tried(arguments, pipeline, chooser)
    print(f"{made} images in {process_time() - started:.0f} CPU s")
    fitted = {prompt: picture for prompt, (picture, fits) in lasts.items() if fits}
    print(f"fitted: {len(fitted)} of {len(lasts)}; {made / max(1, len(fitted)):.2f} images for one")
    for name, judge in (("the one that chose", chooser), ("the second judge", second)):
        print(f"{name}: first images {right(judge, firsts)}, fitted {right(judge, fitted)}")
    print(f"the second judge, real images of the chooser's patients: {real}")


def judges(arguments: argparse.Namespace, pipeline: Any) -> tuple[Judge, SecondJudge, Any]:
    vlm = load_vlm(BUNDLED)
    assert isinstance(vlm, OwnVlm)
    rows = [row for split in ("train", "validation", "test")
            for row in read_rows(arguments.instructions, split)
            if row.source == SOURCE and row.images]  # fmt: skip
    known = statements(rows)
    names, patients = sorted(known), patients_of(rows)
    said = [known[name] for name in names]
    eye, other = looked_at(arguments, vlm, pipeline, names)
    drawn = np.array([patients[name] for name in names])
    half = held_back(drawn, seed=0) | held_back(drawn, seed=1)  # about 44 % of the patients
    chooser = teach(vlm, BUNDLED, eye, said, half)
    second = SecondJudge(other, said, ~half)
    return chooser, second, right_of_real(second, other[~half], [
        one for one, is_held in zip(said, half, strict=True) if not is_held
    ])  # fmt: skip


def looked_at(
    arguments: argparse.Namespace, vlm: OwnVlm, pipeline: Any, names: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Returns what both see of real images after the round trip; looked at once."""
    kept = arguments.work / "looks.npz"
    if kept.is_file():
        found = np.load(kept)
        if found["names"].tolist() == names:
            return found["eye"], found["other"]
    net = Classifier.load(BUNDLED_FOLDER / "proxy" / "classifier")
    folders = picture_folders(arguments.instructions)
    eye, other = [], []
    for start in range(0, len(names), PART):
        pictures = [read_picture(name, folders) for name in names[start : start + PART]]
        passed = round_trip(pipeline.vae.float(), pictures, side=native_side(pipeline))
        eye.append(look_at(vlm.eye, passed)[:, 0].float().numpy())
        other.append(net.features(passed).numpy())
    np.savez(kept, names=np.array(names), eye=np.concatenate(eye), other=np.concatenate(other))
    return np.concatenate(eye), np.concatenate(other)


def tried(
    arguments: argparse.Namespace, pipeline: Any, chooser: Judge
) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Returns, by prompt, the first image, and the last one with whether it fits; how many were
    made.
    """
    prompts = prompt_set((NORMAL, "pneumonia"), ages_years=AGES_YEARS)
    firsts: dict[str, Any] = {}
    lasts: dict[str, Any] = {}
    made = 0
    for number in range(arguments.tries):
        waiting = [(place, prompt) for place, prompt in enumerate(prompts)
                   if prompt not in lasts or not lasts[prompt][1]]  # fmt: skip
        recipes = [SampleSpec(prompt=prompt, seed=number * len(prompts) + place,
                              guidance_scale=arguments.guidance)
                   for place, prompt in waiting]  # fmt: skip
        pictures = sample(pipeline, recipes)
        made += len(pictures)
        found = chooser.probabilities(pictures)
        for (_, prompt), picture, seen in zip(waiting, pictures, found, strict=True):
            firsts.setdefault(prompt, picture)
            lasts[prompt] = (picture, fits(chooser, prompt, seen))
        count = sum(one for _, one in lasts.values())
        print(json.dumps({"try": number + 1, "made": made, "fit": count}), flush=True)
    return firsts, lasts, made


def fits(chooser: Judge, prompt: str, seen: Mapping[str, float]) -> bool:
    """Returns whether finding, view and sex do, by the rule that batches have."""
    wanted = facts_of(prompt)
    for attribute in ASKED:
        found = chooser.attribute(attribute, wanted, seen)
        of_it = {name: value for name, value in seen.items() if attribute_of(name) == attribute}
        if found and not is_shown(
            attribute, wanted, of_it, plain=found.phrase, is_reached=found.is_reached
        ):
            return False
    return True


def right(judge: Any, pictures: Mapping[str, Any]) -> Any:
    """Returns the share of which it says that finding, view and sex are right."""
    found = judge.probabilities(list(pictures.values()))
    hits = [all_right(prompt, one) for prompt, one in zip(pictures, found, strict=True)]
    return share(sum(hits), len(hits))


def right_of_real(
    second: SecondJudge, cells: np.ndarray, said: Sequence[Mapping[str, bool]]
) -> Any:
    rows = (cells - second.mean) / second.scale / np.sqrt(cells.shape[1])
    hits = []
    for row, truth in zip(rows, said, strict=True):
        if all(name in truth for name in PHRASES):
            seen = {name: row @ weight + bias for name, (weight, bias) in second.heads.items()}
            rivals = zip(PHRASES[::2], PHRASES[1::2], strict=True)
            hits.append(all((seen[one] > seen[other]) == truth[one] for one, other in rivals))
    return share(sum(hits), len(hits))


if __name__ == "__main__":
    main()

"""The VLM that is trained here, over several splits by patient, beside a probe and blind.

    python -m benchmarks.vlm INSTRUCTIONS WORK --base FOLDER [--splits 5] [--without STAGE]

Each split holds a quarter of the patients of every source back and trains the encoder, the
bridge and the instructions anew, from the decoder of ``--base`` (its language stage, which saw
no picture). A split that is done is not done again. Every figure stands beside a linear probe on
what the frozen backbone sees, and beside the same model asked with another patient's picture.
With ``--without`` one stage is left out: 0 the language (the decoder is then of random weights), 1
the encoder (its adapter stays a random projection), 2 the bridge, 3 the instructions; answers alone
are looked at then.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from generation.specs import VlmSpec
from generation.statistics.ranking import auroc, auroc_of_groups
from generation.vlm.benchmark.choices import blind_partners, choose
from generation.vlm.benchmark.probe import probe
from generation.vlm.model.rows import AGE, CLASSIFY, SEX, VIEW, Row, read_rows
from generation.vlm.model.seen import Seen, see
from generation.vlm.model.training import VlmTraining
from generation.vlm.model.vlms import Asked, OwnVlm, load_vlm

TEST_SHARE = 0.25
CLOSED = "closed question answering"


@dataclass(frozen=True)
class Figure:
    """A yes-or-no question of one source; ``positive`` is the option that the score is of."""

    name: str
    source: str
    task: str
    question: str
    options: tuple[str, str]
    positive: str
    is_true: Callable[[str], bool]


FIGURES = (
    Figure("view", "nih", VIEW, "Which projection is this?", ("PA", "AP"), "PA",
           lambda said: said == "PA"),
    Figure("sex", "nih", SEX, "What is the sex of this patient?", ("female", "male"), "male",
           lambda said: said == "male"),
    Figure("pneumonia", "nih", CLASSIFY, "Does this chest X-ray show pneumonia?",
           ("yes", "no"), "yes", lambda said: "pneumonia" in said.split(", ")),
    Figure("tuberculosis", "nlm_tb", CLASSIFY, "Is tuberculosis present on this radiograph?",
           ("yes", "no"), "yes", lambda said: said == "tuberculosis"),
    Figure("sex", "nlm_tb", SEX, "What is the sex of this patient?", ("female", "male"), "male",
           lambda said: said == "male"),
    Figure("view", "hannover", VIEW, "Which projection is this?", ("PA", "AP"), "PA",
           lambda said: said == "PA"),
)  # fmt: skip


def split_again(instructions: Path, folder: Path, *, seed: int) -> Path:
    """Returns the same instructions, with a drawn quarter of the patients of pictures as test."""
    contents = [json.loads(line) for split in ("train", "validation", "test")
                for path in sorted((instructions / split).glob("*.jsonl"))
                if path.stem != "rad_restruct"
                for line in path.read_text(encoding="utf-8").splitlines()]  # fmt: skip
    patients = sorted({row["patient"] for row in contents if row["images"]})
    drawn = np.random.default_rng(seed).permutation(len(patients))
    held = {patients[place] for place in drawn[: int(TEST_SHARE * len(patients))]}
    for split in ("train", "test"):
        (folder / split).mkdir(parents=True, exist_ok=True)
        chosen = [row for row in contents if (row["patient"] in held) == (split == "test")]
        lines = "".join(json.dumps(row) + "\n" for row in chosen)
        (folder / split / "all.jsonl").write_text(lines, encoding="utf-8")
    (folder / "plan.json").write_text((instructions / "plan.json").read_text())
    return folder


def do_split(arguments: argparse.Namespace, seed: int) -> dict[str, Any]:
    work = work_of(arguments, seed)
    instructions = split_again(arguments.instructions, work / "instructions", seed=seed)
    checkpoint = work / "checkpoint"
    checkpoint.mkdir(exist_ok=True)
    left_out = arguments.without
    spec = VlmSpec(
        instructions=str(instructions),
        base="" if left_out == 0 else str(arguments.base),
        eye=str(arguments.base),
        seen=str(arguments.work / "seen"),
        language_steps=0,
        encoder_steps=0 if left_out == 1 else arguments.encoder_steps,
        bridge_steps=0 if left_out == 2 else arguments.bridge_steps,
        instruction_steps=0 if left_out == 3 else arguments.steps,
        seed=seed,
    )
    training = VlmTraining(spec, checkpoint, tell)
    if not (work / "model").is_dir():
        training.run(work / "model")
    if left_out is not None:
        return answers_of(work / "model", training)
    return figures_of(work / "model", training, seed=seed)


def work_of(arguments: argparse.Namespace, seed: int) -> Path:
    """Returns the folder of a split, of whole trainings and of those without a stage apart."""
    end = "" if arguments.without is None else f"-without-{arguments.without}"
    folder: Path = arguments.work / f"split-{seed}{end}"
    return folder


def figures_of(model: Path, training: VlmTraining, *, seed: int) -> dict[str, Any]:
    """Returns all figures of one trained model on the test patients of its split."""
    vlm = load_vlm(str(model))
    assert isinstance(vlm, OwnVlm)
    learnt, asked = training.rows, read_rows(training.folder, "test")
    names = sorted({name for row in (*learnt, *asked) for name in row.images})
    kept = Path(training.spec.seen)
    seen = see(vlm.eye, names, training.picture_folders, kept, report=lambda *_: None)
    found: dict[str, Any] = {
        f"{one.name} {one.source}": of_figure(one, vlm, seen, learnt, asked, seed=seed)
        for one in FIGURES
    }
    found["captions nih"] = of_captions(vlm, seen, learnt, asked)
    found["vqa_rad closed"] = of_vqa(vlm, seen, learnt, asked)
    return found


def answers_of(model: Path, training: VlmTraining) -> dict[str, Any]:
    """Area, accuracy and stability of each question, without probe and blind control."""
    vlm = load_vlm(str(model))
    assert isinstance(vlm, OwnVlm)
    asked = read_rows(training.folder, "test")
    kept = Path(training.spec.seen)
    found = {}
    for figure in FIGURES:
        rows = [row for row in asked if (row.source, row.task) == (figure.source, figure.task)]
        names = sorted({row.images[0] for row in rows})
        seen = see(vlm.eye, names, training.picture_folders, kept, report=lambda *_: None)
        truth = np.array([figure.is_true(row.answer) for row in rows])
        told, stable = ask(figure, vlm, seen.of([row.images[0] for row in rows]))
        found[f"{figure.name} {figure.source}"] = {
            "n": len(rows),
            "auroc": auroc(truth, told),
            "accuracy": float(((told > 0.5) == truth).mean()),
            "stable": stable,
        }
    return found


def of_figure(
    figure: Figure, vlm: OwnVlm, seen: Seen, learnt: Sequence[Row], asked: Sequence[Row],
    *, seed: int,
) -> dict[str, Any]:  # fmt: skip
    rows = [row for row in asked if (row.source, row.task) == (figure.source, figure.task)]
    truth = np.array([figure.is_true(row.answer) for row in rows])
    cells = seen.of([row.images[0] for row in rows])
    partners = blind_partners([row.patient for row in rows], seed=seed)
    told, stable = ask(figure, vlm, cells)
    blind, _ = ask(figure, vlm, cells[partners])
    taught = [row for row in learnt if (row.source, row.task) == (figure.source, figure.task)]
    probed = probe(
        seen.of([row.images[0] for row in taught])[:, 0].float().numpy(),
        np.array([figure.is_true(row.answer) for row in taught]),
        cells[:, 0].float().numpy(),
    )
    interval = auroc_of_groups(blind[truth], blind[~truth])
    return {
        "n": len(rows),
        "auroc": auroc(truth, told),
        "probe": auroc(truth, probed),
        "blind": interval.value,
        "blind_low": interval.low,
        "blind_high": interval.high,
        "accuracy": float(((told > 0.5) == truth).mean()),
        "majority": float(max(truth.mean(), 1 - truth.mean())),
        "stable": stable,
    }


def ask(figure: Figure, vlm: OwnVlm, cells: torch.Tensor) -> tuple[np.ndarray, float]:
    """Returns the probability of the positive option for each picture, and the share of stable
    answers.
    """
    questions = [Asked(question=figure.question, options=figure.options)] * len(cells)
    chosen = [choose(rows) for rows in vlm.scores_of_seen(questions, [one[None] for one in cells])]
    place = figure.options.index(figure.positive)
    probabilities = np.array([one.probabilities[place] for one in chosen])
    return probabilities, float(np.mean([one.is_stable for one in chosen]))


def of_captions(
    vlm: OwnVlm, seen: Seen, learnt: Sequence[Row], asked: Sequence[Row], *, most: int = 120
) -> dict[str, Any]:
    """Returns how often captions of NIH pictures name view, sex and pneumonia as they are."""
    known: dict[str, dict[str, str]] = defaultdict(dict)
    for row in asked:
        if row.source == "nih" and row.task in {VIEW, SEX, AGE, CLASSIFY}:
            known[row.images[0]][row.task] = row.answer
    names = [name for name, said in sorted(known.items()) if len(said) > 3][:most]
    captions = vlm.describe_seen(seen.of(names))
    of_source = {finding for row in learnt if (row.source, row.task) == ("nih", CLASSIFY)
                 for finding in row.answer.split(", ")}  # fmt: skip
    foreign = {finding for row in learnt if row.task == CLASSIFY
               for finding in row.answer.split(", ")} - of_source  # fmt: skip
    said = [caption.split(", ") for caption in captions]
    truths = [known[name] for name in names]

    def share(is_right: Callable[[list[str], Mapping[str, str]], bool]) -> float:
        return float(np.mean([is_right(*pair) for pair in zip(said, truths, strict=True)]))

    return {
        "n": len(names),
        "view": share(lambda said, truth: f"{truth[VIEW]} view" in said),
        "sex": share(lambda said, truth: truth[SEX] in said),
        "pneumonia": share(
            lambda said, truth: ("pneumonia" in said) == ("pneumonia" in truth[CLASSIFY])
        ),
        "age": share(lambda said, truth: truth[AGE] in said),
        "foreign": share(lambda said, _: bool(foreign & set(said))),
        "different": len(set(captions)),
        "examples": captions[:3],
    }


def of_vqa(vlm: OwnVlm, seen: Seen, learnt: Sequence[Row], asked: Sequence[Row]) -> dict[str, Any]:
    """Closed questions of VQA-RAD on pictures held back, beside majority and the question alone."""
    taught, rows = ([row for row in rows if (row.source, row.task) == ("vqa_rad", CLOSED)
                     and len(row.options) > 1] for rows in (learnt, asked))  # fmt: skip
    questions = [Asked(question=row.stem, options=row.options) for row in rows]
    cells = seen.of([row.images[0] for row in rows])
    chosen = [choose(one) for one in vlm.scores_of_seen(questions, [one[None] for one in cells])]
    right = [row.options[one.best] == row.answer for row, one in zip(rows, chosen, strict=True)]
    usual = Counter(row.answer for row in taught).most_common(1)[0][0]
    texts = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=10))
    texts.fit([row.stem for row in taught], [row.answer for row in taught])
    alone = texts.predict([row.stem for row in rows]) == [row.answer for row in rows]
    return {
        "n": len(rows),
        "accuracy": float(np.mean(right)),
        "majority": float(np.mean([row.answer == usual for row in rows])),
        "question_alone": float(np.mean(alone)),
        "stable": float(np.mean([one.is_stable for one in chosen])),
    }


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """Means over splits."""
    lines = ["| question | n | AUC | probe | less | blind | accuracy | majority | stable |",
             "|---|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for figure in FIGURES:
        key = f"{figure.name} {figure.source}"
        means = {name: float(np.mean([one[key][name] for one in results]))
                 for name in results[0][key]}  # fmt: skip
        deviation = float(np.std([one[key]["auroc"] for one in results]))
        lines.append(
            f"| {key} | {means['n']:.0f} | {means['auroc']:.3f} (sd {deviation:.3f}) | "
            f"{means['probe']:.3f} | {means['probe'] - means['auroc']:+.3f} | "
            f"{means['blind']:.3f} [{means['blind_low']:.2f}, {means['blind_high']:.2f}] | "
            f"{means['accuracy']:.3f} | {means['majority']:.3f} | {means['stable']:.3f} |"
        )
    for key in ("captions nih", "vqa_rad closed"):
        means = {name: round(float(np.mean([one[key][name] for one in results])), 3)
                 for name in results[0][key] if name != "examples"}  # fmt: skip
        lines.append(f"{key}: {means}")
    return "\n".join(lines)


def short_table(results: Sequence[Mapping[str, Any]]) -> str:
    """Means over splits of what ``answers_of`` looks at."""
    lines = ["| question | n | AUC | accuracy | stable |", "|---|---|---|---|---|"]
    for key in results[0]:
        n, *means = (float(np.mean([one[key][name] for one in results]))
                     for name in ("n", "auroc", "accuracy", "stable"))  # fmt: skip
        lines.append(f"| {key} | {n:.0f} | {' | '.join(f'{mean:.3f}' for mean in means)} |")
    return "\n".join(lines)


def tell(done: int, total: int, note: str, figures: Mapping[str, float]) -> None:
    if done % 50 == 0 and figures:
        print(note, done, total, {name: round(value, 3) for name, value in figures.items()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instructions", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--bridge-steps", type=int, default=60)
    parser.add_argument("--encoder-steps", type=int, default=200)
    parser.add_argument("--without", type=int, choices=range(4), metavar="STAGE")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    results = []
    for seed in range(arguments.splits):
        kept = work_of(arguments, seed) / "figures.json"
        if not kept.is_file():
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(do_split(arguments, seed)))
        results.append(json.loads(kept.read_text()))
        told = table(results) if arguments.without is None else short_table(results)
        print(f"after {len(results)} splits\n{told}", flush=True)


if __name__ == "__main__":
    main()

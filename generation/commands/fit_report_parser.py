"""python -m generation.commands.fit_report_parser OUT --openi FOLDER --rad-restruct FOLDER.

Teaches the learned parser of reports by Rad-ReStruct's training part; the threshold is that of
the highest F1 on its validation part.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from generation.errors import RemediableError
from generation.vlm.reports.leaves import LeafParser, best_threshold, fit
from generation.vlm.structured_answers import read_answers, read_texts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--openi", type=Path, required=True)
    parser.add_argument("--rad-restruct", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        fitted = fit_parser(arguments.openi, arguments.rad_restruct)
    except RemediableError as error:
        sys.stderr.write(f"{error} {error.remedy}\n")
        return 1
    fitted.save(arguments.out)
    print(f"{len(fitted.leaves)} leaves, {len(fitted.features):,} features, "
          f"threshold {fitted.threshold:.2f}")  # fmt: skip
    return 0


def fit_parser(openi: Path, rad_restruct: Path) -> LeafParser:
    texts = read_texts(openi)
    fitted = fit(texts, read_answers(rad_restruct, "train"))
    held_out = read_answers(rad_restruct, "val")
    threshold = best_threshold(
        fitted.probabilities([texts[number] for number in held_out]), truth(fitted, held_out)
    )
    return replace(fitted, threshold=threshold)


def truth(parser: LeafParser, answers: dict[str, set[str]]) -> np.ndarray:
    """Reports x leaves of bool, in the order of both."""
    return np.array([[leaf in found for leaf in parser.leaves] for found in answers.values()])


if __name__ == "__main__":
    sys.exit(main())

"""The learned parser: which leaves of a tree of questions a report answers with yes.

One logistic regression a leaf, over words and pairs of words with their denials, and over what
the rule parser says of each finding. It is taught by Rad-ReStruct's structured answers, where a
leaf that was not asked, because a question above it was answered with no, counts as no: so the
model needs no answer to be given to it.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from generation.errors import RemediableError
from generation.vlm.reports.mentions import Mention, ParsedReport
from generation.vlm.reports.qualifiers import DENIED_BEFORE, PSEUDO
from generation.vlm.reports.rules import RuleParser, clauses_of

INVERSE_REGULARISATION = 3.0
LEAST_REPORTS = 2
"""In which a word, or a yes, must occur to be learnt from."""
THRESHOLDS = np.round(np.arange(0.02, 0.9, 0.01), 2)
WEIGHTS, WORDS = "weights.npz", "words.json"
END = "."

Reports = Mapping[str, str]
Answers = Mapping[str, Collection[str]]
"""The leaves that are answered with yes, by the report's number."""


class Features:
    """What a report's words are turned into, before they are counted."""

    def __init__(self) -> None:
        self._rules = RuleParser()

    def __call__(self, report: str) -> list[str]:
        parsed = self._rules.parse(report)
        words = [word for sentence in parsed.sentences for word in words_of(sentence)]
        pairs = [f"{one} {two}" for one, two in pairwise(words)]
        told = [f"{finding} = {presence}" for finding, presence in parsed.findings.items()]
        return words + pairs + told


@dataclass(frozen=True, kw_only=True)
class LeafParser:
    """``coefficients`` are leaves x features, ``threshold`` the probability of a yes."""

    leaves: tuple[str, ...]
    features: tuple[str, ...]
    coefficients: np.ndarray
    intercepts: np.ndarray
    threshold: float

    def parse(self, report: str) -> ParsedReport:
        """Returns the rule parser's sections and sentences, with the leaves that are answered
        with yes.
        """
        parsed = RuleParser().parse(report)
        [row] = self.probabilities([report])
        return ParsedReport(
            sections=parsed.sections,
            sentences=parsed.sentences,
            mentions=tuple(
                Mention(finding=leaf, presence="present")
                for leaf, probability in zip(self.leaves, row, strict=True)
                if probability >= self.threshold
            ),
        )

    def probabilities(self, reports: Sequence[str]) -> np.ndarray:
        """Reports x leaves."""
        counted = _counter(self.features).transform(reports)
        return np.asarray(_sigmoid(counted @ self.coefficients.T + self.intercepts))

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(
            folder / WEIGHTS, coefficients=self.coefficients, intercepts=self.intercepts
        )
        told = {"leaves": self.leaves, "features": self.features, "threshold": self.threshold}
        (folder / WORDS).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        try:
            told = json.loads((folder / WORDS).read_text(encoding="utf-8"))
            with np.load(folder / WEIGHTS, allow_pickle=False) as weights:
                return cls(
                    leaves=tuple(told["leaves"]),
                    features=tuple(told["features"]),
                    threshold=float(told["threshold"]),
                    coefficients=weights["coefficients"],
                    intercepts=weights["intercepts"],
                )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RemediableError(
                f"{folder} holds no parser of reports: {error!r}",
                remedy="Fit one with python -m generation.commands.fit_report_parser.",
            ) from error


def fit(reports: Reports, answers: Answers, *, threshold: float = 0.5) -> LeafParser:
    """Teach every leaf that enough reports answer with yes; the order of reports is theirs."""
    numbers = sorted(answers)
    counter = CountVectorizer(
        analyzer=Features(), binary=True, min_df=min(LEAST_REPORTS, len(numbers))
    )
    counted = counter.fit_transform([reports[number] for number in numbers]).astype(np.float64)
    leaves = leaves_of(answers)
    fitted = [_fit_leaf(counted, [leaf in answers[number] for number in numbers])
              for leaf in leaves]  # fmt: skip
    return LeafParser(
        leaves=leaves,
        features=tuple(counter.get_feature_names_out()),
        coefficients=np.stack([weights for weights, _ in fitted]).astype(np.float32),
        intercepts=np.array([intercept for _, intercept in fitted], dtype=np.float32),
        threshold=threshold,
    )


def leaves_of(answers: Answers) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for of_report in answers.values():
        for leaf in of_report:
            counts[leaf] = counts.get(leaf, 0) + 1
    return tuple(sorted(leaf for leaf, count in counts.items() if count >= LEAST_REPORTS))


def best_threshold(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Where F1 over all answers is highest, of several the lowest."""
    scores = [f1(probabilities >= threshold, truth).f1 for threshold in THRESHOLDS]
    return float(THRESHOLDS[int(np.argmax(scores))])


@dataclass(frozen=True)
class Scores:
    """Precision, recall and their harmonic mean of yes-or-no answers."""

    precision: float
    recall: float
    f1: float


def f1(said: np.ndarray, truth: np.ndarray) -> Scores:
    right = int((said & truth).sum())
    precision, recall = right / max(1, int(said.sum())), right / max(1, int(truth.sum()))
    return Scores(precision, recall, 2 * right / max(1, int(said.sum()) + int(truth.sum())))


def words_of(sentence: str) -> Iterator[str]:
    """Yields the words of a sentence; those that a denial reaches say so."""
    for _, clause in clauses_of(sentence.lower()):
        text = PSEUDO.sub(" ", clause)
        denial = DENIED_BEFORE.search(text)
        yield from _words(text[: denial.start()] if denial else text)
        if denial:
            yield from (f"no {word}" for word in _words(text[denial.end() :]))
    yield END


def _words(text: str) -> list[str]:
    return [word for word in text.replace("-", " ").replace("/", " ").split() if word.isalpha()]


def _fit_leaf(counted: csr_matrix, answers: Sequence[bool]) -> tuple[np.ndarray, float]:
    model = LogisticRegression(C=INVERSE_REGULARISATION, solver="liblinear")
    model.fit(counted, np.array(answers))
    return model.coef_[0], float(model.intercept_[0])


def _counter(features: Sequence[str]) -> CountVectorizer:
    places = {feature: place for place, feature in enumerate(features)}
    return CountVectorizer(analyzer=Features(), binary=True, vocabulary=places)


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))

"""How far generated reports agree with reference reports: words, and what they say.

BLEU by sacrebleu; ROUGE-L after Lin (2004), word for word what rouge-score gives without
stemming; F1 of fourteen labels as CheXbert's evaluation counts them (Smit et al. 2020), the
labels read by the rule parser. BLEU and ROUGE-L depend on the order of sentences and on style.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sacrebleu.metrics.bleu import BLEU

from generation.statistics.intervals import Interval, cluster_bootstrap
from generation.vlm.reports.mentions import Parser, Presence
from generation.vlm.reports.rules import RuleParser
from generation.vlm.reports.vocabulary import Vocabulary

WORD = re.compile(r"[a-z0-9]+")
NO_FINDING, DEVICES = "No Finding", "Support Devices"
OPACITY = "any opacity"
SHORT = {
    OPACITY: (
        "opacity", "opacification", "airspace disease", "air space disease", "airspace process",
        "infiltrate", "infiltration", "interstitial marking", "reticular marking",
    ),
}  # fmt: skip
"""What reports also say for short, beyond the phrases of ``findings.json``."""
FINDINGS_OF: Mapping[str, tuple[str, ...]] = {
    "Enlarged Cardiomediastinum": ("enlarged cardiomediastinum",),
    "Cardiomegaly": ("cardiomegaly",),
    "Lung Opacity": ("lung opacity", "ground glass opacity", "interstitial thickening", OPACITY),
    "Lung Lesion": ("lung lesion", "lung nodule or mass"),
    "Edema": ("pulmonary edema", "pulmonary congestion pulmonary venous congestion"),
    "Consolidation": ("consolidation",),
    "Pneumonia": ("pneumonia",),
    "Atelectasis": (
        "atelectasis", "lobar segmental collapse", "whole lung or majority collapse",
    ),
    "Pneumothorax": ("pneumothorax",),
    "Pleural Effusion": ("pleural effusion",),
    "Pleural Other": ("pleural other", "pleural thickening"),
    "Fracture": ("fracture generic", "acute rib fracture", "non acute rib fracture"),
    DEVICES: (
        "support devices generic", "central venous catheter", "endotracheal tube", "enteric tube",
        "intercostal drain", "tracheostomy tube", "implantable electronic device",
        "pacemaker electronic cardiac device or wires",
    ),
}  # fmt: skip
"""The findings that are each label."""
LABELS = (*FINDINGS_OF, NO_FINDING)
FIVE = ("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Pleural Effusion")
POSITIVE: frozenset[Presence | None] = frozenset({"present", "uncertain"})


@dataclass(frozen=True, kw_only=True)
class LabelF1:
    """Micro over all decisions; macro over the labels that occur in references or candidates.

    ``support`` counts each label in the references.
    """

    macro: float
    micro: float
    of_labels: Mapping[str, float]
    support: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class TextFigures:
    """What the benchmark says of generated texts; intervals are over patients."""

    texts: int
    bleu: float
    bleu_signature: str
    rouge_l: Interval
    fourteen: LabelF1
    five: LabelF1
    fourteen_micro: Interval
    five_micro: Interval


def measure_texts(
    candidates: Sequence[str],
    references: Sequence[str],
    *,
    patients: Sequence[str],
    seed: int = 0,
) -> TextFigures:
    """Returns all figures of texts, each beside its reference; the same seed gives the same
    intervals.
    """
    parser, clusters = label_parser(), np.asarray(patients)
    said, truth = (label_table(texts, parser=parser) for texts in (candidates, references))
    metric = BLEU()
    bleu = metric.corpus_score(list(candidates), [list(references)]).score / 100
    overlaps = np.array(
        [rouge_l(one, other) for one, other in zip(candidates, references, strict=True)]
    )
    fives = [LABELS.index(label) for label in FIVE]
    return TextFigures(
        texts=len(candidates),
        bleu=bleu,
        bleu_signature=str(metric.get_signature()),
        rouge_l=cluster_bootstrap(
            lambda chosen: float(overlaps[chosen].mean()), clusters=clusters, seed=seed
        ),
        fourteen=label_f1(said, truth, labels=LABELS),
        five=label_f1(said, truth, labels=FIVE),
        fourteen_micro=cluster_bootstrap(
            lambda chosen: micro_f1(said[chosen], truth[chosen]), clusters=clusters, seed=seed
        ),
        five_micro=cluster_bootstrap(
            lambda chosen: micro_f1(said[chosen][:, fives], truth[chosen][:, fives]),
            clusters=clusters,
            seed=seed,
        ),
    )


def rouge_l(candidate: str, reference: str) -> float:
    """F1 of the longest common subsequence of words; 0 where either text has none."""
    one, other = WORD.findall(candidate.lower()), WORD.findall(reference.lower())
    common = longest_common(one, other)
    return 2 * common / (len(one) + len(other)) if common else 0.0


def longest_common(one: Sequence[str], other: Sequence[str]) -> int:
    """Returns the length of the longest subsequence that both have; one row of the table at a
    time.
    """
    row = [0] * (len(other) + 1)
    for word in one:
        diagonal = 0
        for place, opposite in enumerate(other, start=1):
            above = row[place]
            row[place] = diagonal + 1 if word == opposite else max(above, row[place - 1])
            diagonal = above
    return row[-1]


def label_parser() -> RuleParser:
    """Returns the rule parser with the short forms."""
    return RuleParser(Vocabulary.read().extended(SHORT, excluded={}))


def labels_of(report: str, *, parser: Parser) -> set[str]:
    """Returns the labels that a report has, doubted ones included; *No Finding* without any but
    devices.
    """
    told = parser.parse(report).findings
    found = {
        label
        for label, findings in FINDINGS_OF.items()
        if any(told.get(finding) in POSITIVE for finding in findings)
    }
    return found if found - {DEVICES} else found | {NO_FINDING}


def label_table(reports: Sequence[str], *, parser: Parser) -> np.ndarray:
    """Reports x labels of bool."""
    found = [labels_of(report, parser=parser) for report in reports]
    return np.array([[label in of_report for label in LABELS] for of_report in found])


def label_f1(said: np.ndarray, truth: np.ndarray, *, labels: Sequence[str]) -> LabelF1:
    places = [LABELS.index(label) for label in labels]
    said, truth = said[:, places], truth[:, places]
    occurs = np.asarray((said | truth).any(axis=0))
    of_labels = {
        label: micro_f1(said[:, place], truth[:, place])
        for place, label in enumerate(labels)
        if occurs[place]
    }
    return LabelF1(
        macro=float(np.mean(list(of_labels.values()))) if of_labels else float("nan"),
        micro=micro_f1(said, truth),
        of_labels=of_labels,
        support={label: int(truth[:, place].sum()) for place, label in enumerate(labels)},
    )


def micro_f1(said: np.ndarray, truth: np.ndarray) -> float:
    """Over all decisions; NaN where nothing is said and nothing is true."""
    decided = int(said.sum()) + int(truth.sum())
    return 2 * int((said & truth).sum()) / decided if decided else float("nan")

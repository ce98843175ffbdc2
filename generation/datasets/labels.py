"""The fourteen labels of CheXpert, which MIMIC-CXR-JPG shares (Irvin et al. 2019, 1901.07031).

1 is positive, 0 negative, -1 uncertain, and an empty cell unmentioned, which counts as
negative. What becomes of uncertain labels is a policy: U-Ones, U-Zeros, or left out.
"""

from collections.abc import Mapping
from typing import Literal, get_args

from generation.conditioning.findings import FINDINGS
from generation.datasets.parsed import Skip

Uncertain = Literal["ones", "zeros", "ignore"]
POLICIES: tuple[Uncertain, ...] = get_args(Uncertain)

NO_FINDING = "No Finding"
MAPPED = {
    "Cardiomegaly": "cardiomegaly",
    "Lung Opacity": "lung opacity",
    "Edema": "edema",
    "Consolidation": "consolidation",
    "Pneumonia": "pneumonia",
    "Atelectasis": "atelectasis",
    "Pneumothorax": "pneumothorax",
    "Pleural Effusion": "effusion",
    "Fracture": "fracture",
    "Support Devices": "support devices",
}
UNMAPPED = ("Enlarged Cardiomediastinum", "Lung Lesion", "Pleural Other")
"""None of them is one finding of the vocabulary; they stay among the source's own labels."""
COLUMNS = (NO_FINDING, *MAPPED, *UNMAPPED)
NOT_LABELLED = tuple(finding for finding in FINDINGS if finding not in MAPPED.values())
VALUES = {"1": 1, "0": 0, "-1": -1, "": 0}


class Labels:
    """What a row says: findings, those that it leaves open, and whether nothing is wrong."""

    def __init__(self, row: Mapping[str, str], *, uncertain: Uncertain) -> None:
        values = {name: read_label(row[name]) for name in COLUMNS}
        positive = {1, -1} if uncertain == "ones" else {1}
        found = {MAPPED[name] for name in MAPPED if values[name] in positive}
        is_open = {MAPPED[name] for name in MAPPED if values[name] == -1}
        unreadable = {MAPPED[name] for name in MAPPED if values[name] is None}
        self.findings = tuple(finding for finding in FINDINGS if finding in found)
        self.unknown = tuple(
            finding
            for finding in FINDINGS
            if finding not in found
            and (
                finding in NOT_LABELLED
                or finding in unreadable
                or (uncertain == "ignore" and finding in is_open)
            )
        )
        self.is_normal = values[NO_FINDING] == 1 and not (found or is_open or unreadable)
        self.wrong = tuple(name for name in COLUMNS if values[name] is None)

    def skips(self, file: str) -> list[Skip]:
        return [
            Skip(file=file, what="label", reason=f"its {name} is none of 1, 0, -1 and empty")
            for name in self.wrong
        ]


def read_label(text: str) -> int | None:
    """Returns 1, 0 or -1; None where it is something else."""
    return VALUES.get(text.strip().removesuffix(".0").removesuffix(",0"))

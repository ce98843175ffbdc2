"""The one vocabulary of findings that cohorts' labels are mapped onto."""

import re

FINDINGS = (
    "atelectasis",
    "cardiomegaly",
    "consolidation",
    "edema",
    "effusion",
    "emphysema",
    "fibrosis",
    "hernia",
    "infiltration",
    "mass",
    "nodule",
    "pleural thickening",
    "pneumonia",
    "pneumothorax",
    "lung opacity",
    "fracture",
    "support devices",
)
NORMAL = "no finding"


def findings_in(prompt: str) -> list[str]:
    """Returns the findings that a prompt names, one or several of a kind, in the vocabulary's
    order.
    """
    text = prompt.lower()
    return [finding for finding in FINDINGS if re.search(_pattern(finding), text)]


def _pattern(finding: str) -> str:
    """Matches ``opacity`` and ``opacities``, ``mass`` and ``masses``."""
    if finding.endswith("y"):
        return rf"\b{finding[:-1]}(?:y|ies)\b"
    return rf"\b{finding}(?:s|es)?\b"

"""The text of a report among the labels that an importer keeps of its image."""

from collections.abc import Mapping

from generation.datasets.candid import REPORT
from generation.datasets.openi import SECTIONS

DESCRIBING = ("FINDINGS", "IMPRESSION")
"""Sections of Open-I's reports that say what is seen; the others say why it was made."""


def report_of(labels: Mapping[str, str]) -> str:
    """Returns a line a section, or the whole text where the source has no sections."""
    if text := labels.get(REPORT, "").strip():
        return text.replace("\r\n", "\n")
    named = [name for name in SECTIONS if name in DESCRIBING and labels.get(name, "").strip()]
    return "\n".join(f"{name.capitalize()}: {labels[name].strip()}" for name in named)

"""The sections of a radiology report, by its headings, under one name each."""

import re
from collections.abc import Iterator

NAMES = {
    "indication": (
        "indication", "indications", "history", "clinical history", "clinical information",
        "clinical indication", "reason for exam", "reason for examination",
        "reason for this examination", "reason", "clinical data",
    ),
    "technique": (
        "technique", "exam", "examination", "procedure", "study", "exam type", "views",
        "type of examination",
    ),
    "comparison": ("comparison", "comparisons", "comparison study", "compared", "compressing"),
    "findings": ("findings", "finding", "report", "description", "wet read"),
    "impression": ("impression", "impressions", "conclusion", "conclusions", "opinion", "summary"),
    "notification": ("notification", "recommendation", "recommendations", "addendum"),
}  # fmt: skip
NAME_OF = {heading: name for name, headings in NAMES.items() for heading in headings}
HEADING = re.compile(
    rf"(?:^|(?<=[.\n]))[ \t]*(?:({'|'.join(sorted(NAME_OF, key=len, reverse=True))})"
    r"|((?-i:[A-Z][A-Z,&/() -]*(?:CHEST|VIEWS?|RADIOGRAPHS?|FILM|XR|CXR)[A-Z,&/() -]*)))[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
"""A known heading, or one in capitals that names the examination: what it heads is described."""
BEFORE = "preamble"
SHORT = frozenset({"comparison", "technique", "indication"})
"""Sections of one paragraph: what follows them without a heading describes the pictures."""
PARAGRAPH = re.compile(r"\n[ \t]*\n")


def sections_of(report: str) -> dict[str, str]:
    """Section by name in the order of the report, on one line each; empty ones are left out.

    What stands before the first heading is the ``preamble``; a report without headings is
    that alone. A section that comes twice is joined.
    """
    sections: dict[str, str] = {}
    for name, content in _parts(report):
        if text := " ".join(content.split()):
            sections[name] = f"{sections[name]} {text}" if name in sections else text
    return sections


def _parts(report: str) -> Iterator[tuple[str, str]]:
    starts = [(BEFORE, 0, 0)]
    starts += [
        (NAME_OF[match[1].lower()] if match[1] else "findings", match.start(), match.end())
        for match in HEADING.finditer(report)
    ]
    ends = [start for _, start, _ in starts[1:]] + [len(report)]
    for (name, _, start), end in zip(starts, ends, strict=True):
        content = report[start:end]
        if name in SHORT:
            content, *rest = PARAGRAPH.split(content.strip(), maxsplit=1)
            yield name, content
            yield "findings", "".join(rest)
        else:
            yield name, content

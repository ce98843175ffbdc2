"""The sections of a radiology report, by its headings, under one name each."""

import re

NAMES = {
    "indication": (
        "indication", "indications", "history", "clinical history", "clinical information",
        "clinical indication", "reason for exam", "reason for examination",
        "reason for this examination",
    ),
    "technique": ("technique", "exam", "examination", "procedure", "study", "exam type", "views"),
    "comparison": ("comparison", "comparisons", "comparison study"),
    "findings": ("findings", "finding", "report", "description"),
    "impression": ("impression", "impressions", "conclusion", "conclusions", "opinion", "summary"),
}  # fmt: skip
NAME_OF = {heading: name for name, headings in NAMES.items() for heading in headings}
HEADING = re.compile(
    rf"(?:^|(?<=[.\n]))[ \t]*({'|'.join(sorted(NAME_OF, key=len, reverse=True))})[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
BEFORE = "preamble"


def sections_of(report: str) -> dict[str, str]:
    """Section by name in the order of the report, on one line each; empty ones are left out.

    What stands before the first heading is the ``preamble``; a report without headings is
    that alone. A section that comes twice is joined.
    """
    starts = [(BEFORE, 0, 0)]
    starts += [
        (NAME_OF[match[1].lower()], match.start(), match.end())
        for match in HEADING.finditer(report)
    ]
    ends = [start for _, start, _ in starts[1:]] + [len(report)]
    sections: dict[str, str] = {}
    for (name, _, start), end in zip(starts, ends, strict=True):
        if text := " ".join(report[start:end].split()):
            sections[name] = f"{sections[name]} {text}" if name in sections else text
    return sections

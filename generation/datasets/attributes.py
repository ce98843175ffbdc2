"""Age, sex, race and view of a patient or image, in one spelling for all sources."""

import re

MAX_AGE_YEARS = 120
YEARS_PER_UNIT = {"": 1.0, "Y": 1.0, "M": 1 / 12, "W": 1 / 52, "D": 1 / 365}
FRONTAL_VIEWS = frozenset({"PA", "AP"})
LATERAL = "lateral"
VIEW_NAMES = {"PA": "PA", "AP": "AP", "LATERAL": LATERAL, "LL": LATERAL, "RL": LATERAL}
SEX_NAMES = {"F": "F", "FEMALE": "F", "W": "F", "M": "M", "MALE": "M"}
RACE_WORDS = (
    ("", ("unknown", "unable", "declined", "refused")),
    ("other", ("native", "pacific", "multiple")),
    ("black", ("black",)),
    ("asian", ("asian",)),
    ("white", ("white", "caucasian", "portuguese")),
    ("hispanic", ("hispanic", "latino", "south american")),
)
"""The first group with one of its words counts: “White, non-Hispanic” is white."""
RACES = ("asian", "black", "hispanic", "white", "other")


def parse_age(text: str) -> int | None:
    """Whole years from ``58``, ``58.0``, ``058Y``, ``011M`` or ``003D``; None where implausible."""
    match = re.fullmatch(r"(\d{1,4})(?:\.0)?([YMWD]?)", text.strip().upper())
    if match is None:
        return None
    years = int(int(match[1]) * YEARS_PER_UNIT[match[2]])
    return years if years <= MAX_AGE_YEARS else None


def parse_sex(text: str) -> str:
    """``F``, ``M``, or empty where it is neither."""
    return SEX_NAMES.get(text.strip().upper(), "")


def parse_view(text: str) -> str:
    """``PA``, ``AP``, ``lateral``, or empty where it is none of them."""
    return VIEW_NAMES.get(text.strip().upper(), "")


def parse_race(text: str) -> str:
    """One of ``RACES`` from what hospitals write, or empty where they do not know."""
    told = text.strip().lower()
    if not told:
        return ""
    for race, words in RACE_WORDS:
        if any(word in told for word in words):
            return race
    return "other"

"""Age, sex, race and view of a patient or image, in one spelling for all sources.

What a source writes is matched whole against the tables here, but for case and spaces. A value
that is in no table is ``None``, which importers report with the value: it is never guessed.
"""

import re

MAX_AGE_YEARS = 120
YEARS_PER_UNIT = {"": 1.0, "Y": 1.0, "M": 1 / 12, "W": 1 / 52, "D": 1 / 365}
FRONTAL_VIEWS = frozenset({"PA", "AP"})
LATERAL = "lateral"
RACES = ("asian", "black", "hispanic", "white", "other")

VIEW_NAMES = {
    "": "", "unknown": "", "n/a": "",
    "pa": "PA", "ap": "AP",
    "lateral": LATERAL, "ll": LATERAL, "rl": LATERAL,
}  # fmt: skip
SEX_NAMES = {
    "": "", "unknown": "", "u": "", "o": "", "other": "", "n/a": "",
    "f": "F", "female": "F", "w": "F",
    "m": "M", "male": "M",
}  # fmt: skip
RACE_NAMES = {
    "": (
        "", "unknown", "unknown/not specified", "race and ethnicity unknown", "not specified",
        "n/a", "unable to obtain", "patient refused", "refused", "declined",
        "patient declined to answer", "declined to answer", "declined to state",
        "decline to state", "not reported", "unavailable",
        # These tell of origin alone, and leave the race open.
        "non-hispanic", "not hispanic", "non-hispanic/non-latino", "non-hispanic or latino",
        "not hispanic or latino", "not hispanic/latino", "not of hispanic origin",
    ),
    "asian": (
        "asian", "asian, non-hispanic", "asian, hispanic", "asian-historical conv",
        "asian-asian indian", "asian-cambodian", "asian-chinese", "asian-filipino",
        "asian-japanese", "asian-korean", "asian-other", "asian-south east asian", "asian-thai",
        "asian-vietnamese", "asian indian", "asian american", "chinese", "japanese", "korean",
        "filipino", "vietnamese",
    ),
    "black": (
        "black", "black, non-hispanic", "black, hispanic", "black or african american",
        "black/african american", "black/african", "black/cape verdean",
        "black/caribbean island", "black/haitian", "african american", "african-american",
        "black american",
    ),
    "hispanic": (
        "hispanic", "latino", "latina", "latinx", "latino/latina", "hispanic or latino",
        "hispanic/latino", "hispanic or latino/a", "other, hispanic", "south american",
        "hispanic/latino-central american", "hispanic/latino-central american (other)",
        "hispanic/latino-colombian", "hispanic/latino-columbian", "hispanic/latino-cuban",
        "hispanic/latino-dominican", "hispanic/latino-guatemalan", "hispanic/latino-honduran",
        "hispanic/latino-mexican", "hispanic/latino-puerto rican",
        "hispanic/latino-salvadoran",
    ),
    "white": (
        "white", "white, non-hispanic", "white, hispanic", "white or caucasian",
        "white/caucasian", "caucasian", "caucasian/white", "white-brazilian",
        "white-eastern european", "white-other european", "white-russian", "portuguese",
    ),
    "other": (
        "other", "other, non-hispanic", "other race", "some other race",
        "native american", "native american, non-hispanic", "native american, hispanic",
        "american indian", "american indian or alaska native", "american indian/alaska native",
        "american indian/alaska native federally recognized tribe", "alaska native",
        "native hawaiian or other pacific islander", "native hawaiian/other pacific islander",
        "native hawaiian/pacific islander", "native hawaiian",
        "other pacific islander", "pacific islander", "pacific islander, non-hispanic",
        "pacific islander, hispanic", "caribbean island", "middle eastern",
        "multiple race/ethnicity", "multiple races", "multiple", "multiracial", "multi-racial",
        "two or more races", "more than one race", "mixed",
    ),
}  # fmt: skip
"""What hospitals write, by race; “White, Hispanic” is white, as in public readers of CheXpert."""
_RACE_OF = {name: race for race, names in RACE_NAMES.items() for name in names}


def parse_age(text: str) -> int | None:
    """Reads whole years from ``58``, ``58.0``, ``058Y``, ``011M`` or ``003D``; None where
    implausible.
    """
    match = re.fullmatch(r"([0-9]{1,4})(?:[.,]0+)?([YMWD]?)", text.strip().upper())
    if match is None:
        return None
    years = int(int(match[1]) * YEARS_PER_UNIT[match[2]])
    return years if years <= MAX_AGE_YEARS else None


def parse_sex(text: str) -> str | None:
    """``F``, ``M``, empty where it is said to be neither or not known, None for another value."""
    return SEX_NAMES.get(_plain(text))


def parse_view(text: str) -> str | None:
    """``PA``, ``AP``, ``lateral``, empty where none is said, None for another value."""
    return VIEW_NAMES.get(_plain(text))


def parse_race(text: str) -> str | None:
    """Returns one of ``RACES``, empty where hospitals do not know or say, None for another
    value.
    """
    told = re.sub(r"\s*([/-])\s*", r"\1", _plain(text))
    return _RACE_OF.get(re.sub(r"\s*,\s*", ", ", told))


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()

"""Storing what a reader submitted: whole, once, and for all."""

from feedback_app.readings.errors import (
    InvalidReading,
    KeyAlreadyUsed,
    ReadingConflict,
    StudyNotOpen,
)
from feedback_app.readings.services.given import (
    GivenChoice,
    GivenFlag,
    GivenPreference,
    GivenReading,
    GivenRegion,
    GivenReport,
    GivenScore,
)
from feedback_app.readings.services.submission import submit, submit_reading
from feedback_app.readings.services.validation import ACTIVE_MS_MAX, COMMENT_MAX

__all__ = [
    "ACTIVE_MS_MAX",
    "COMMENT_MAX",
    "GivenChoice",
    "GivenFlag",
    "GivenPreference",
    "GivenReading",
    "GivenRegion",
    "GivenReport",
    "GivenScore",
    "InvalidReading",
    "KeyAlreadyUsed",
    "ReadingConflict",
    "StudyNotOpen",
    "submit",
    "submit_reading",
]

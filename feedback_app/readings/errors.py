"""Why a reading, or a case to read, is refused."""

from typing import ClassVar

from generation.errors import RemediableError


class InvalidReading(RemediableError):
    """Incomplete, or with a value that the study does not know."""


class ReadingConflict(RemediableError):
    """Well-formed, but the state of things does not allow it."""

    code: ClassVar[str] = "conflict"
    """What the API names it."""


class StudyNotOpen(ReadingConflict):
    """The study takes no readings now, or no more."""


class PhaseOver(ReadingConflict):
    """The case belongs to a phase that is over for this reader, so its answer stays."""


class NotYet(ReadingConflict):
    """Something is to be done before this case may be seen."""

    code = "not_yet"


class TrainingDue(NotYet):
    """The reader has to pass the study's training cases before they get another case."""

    code = "training_due"


class KeyAlreadyUsed(ReadingConflict):
    """The idempotency key belongs to another reading."""


class SeatTaken(ReadingConflict):
    """The lease ran out unread, and somebody else reads the case instead."""


class DamagedPicture(RemediableError):
    """The stored file of an image cannot be shown."""

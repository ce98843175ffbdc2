"""Why a reading, or a case to read, is refused."""

from generation.errors import RemediableError


class InvalidReading(RemediableError):
    """Incomplete, or with a value that the study does not know."""


class ReadingConflict(RemediableError):
    """Well-formed, but the state of things does not allow it."""


class StudyNotOpen(ReadingConflict):
    """The study takes no readings now, or no more."""


class KeyAlreadyUsed(ReadingConflict):
    """The idempotency key belongs to another reading."""


class SeatTaken(ReadingConflict):
    """The lease ran out unread, and somebody else reads the case instead."""


class DamagedPicture(RemediableError):
    """The stored file of an image cannot be shown."""

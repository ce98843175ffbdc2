"""Errors that a person can act on, and troubles that pass by themselves."""

import errno

PASSING_ERRNOS = frozenset(
    (
        *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.ESTALE),
        *(errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM),
        *(errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE),
        *(errno.ETIMEDOUT, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTUNREACH),
    )
)
"""They tell of a full, lost or overloaded disk, host or network; not of a missing file."""

PASSING_WORDS = ("No space left on device", "PytorchStreamWriter failed writing")
"""How libraries tell of a full disk that make errors of their own of it."""

PASSING_STATUS = 75
"""EX_TEMPFAIL of sysexits.h: what a child ends with whose surroundings failed it."""


class RemediableError(Exception):
    """Something the user can put right.

    ``str(error)`` names the value at fault; ``remedy`` says what to do about it.
    """

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def is_of_surroundings(error: BaseException) -> bool:
    """Return whether the disk, the network or the host failed, and not the work."""
    if isinstance(error, OSError):
        return error.errno in PASSING_ERRNOS or isinstance(error, ConnectionError | TimeoutError)
    return any(words in str(error) for words in PASSING_WORDS)

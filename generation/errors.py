"""Errors that a person can act on, and troubles that pass by themselves."""

import errno
import http.client
import re
import socket
import ssl
from collections.abc import Iterator

PASSING_ERRNOS = frozenset(
    (
        *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.ESTALE),
        *(errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM, errno.EBUSY, errno.ENOLCK),
        *(errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE, errno.ENOTCONN),
        *(errno.ETIMEDOUT, errno.ENETDOWN, errno.ENETUNREACH, errno.ENETRESET, errno.ENOBUFS),
        *(errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.EADDRINUSE, errno.EADDRNOTAVAIL),
        *(errno.EINTR, errno.ECHILD, errno.EREMOTEIO),
    )
)
"""They tell of a full, lost or overloaded disk, host or network; not of a missing file."""
OF_ONE_FILE = frozenset((errno.EIO, errno.ENOMEM))
"""A single damaged or monstrous file can raise these as well."""

PASSING_WORDS = re.compile(
    r"No space left on device|PytorchStreamWriter failed writing|Disk quota exceeded"
    r"|No usable temporary directory|Stale file handle|Too many open files|can't start new thread"
    r"|Transport endpoint is not connected|Resource temporarily unavailable"
    r"|Read-only file system|Temporary failure in name resolution"
    r"|Connection (?:reset|closed) by (?:remote )?peer|NCCL error|Watchdog caught collective"
    r"|No CUDA GPUs are available|busy or unavailable|uncorrectable ECC"
)
"""How libraries tell of a full disk or a lost GPU or network that make errors of their own."""
MEMORY_WORDS = re.compile(
    r"(?:CUDA|HIP|MPS)\b.*\bout of memory|(?:CUBLAS|CUDNN)_STATUS_(?:ALLOC_FAILED|NOT_INITIALIZED)"
    r"|DefaultCPUAllocator|[Cc]annot allocate memory|unable to mmap|memory ran out"
    r"|DataLoader worker .* killed by signal|terminated abruptly",
    re.DOTALL,
)
"""How they tell that memory ran out, or that the system ended a process because it had."""
SPOILED_WORDS = re.compile(r"(?:CUDA|HIP) error: (?!.*(?:out of memory|busy or unavailable))")
"""After such an error all that the same process does on its GPU fails."""
CLIENTS_ERRORS = re.compile(
    r"urllib3\.exceptions\.(?:ProtocolError|TimeoutError|MaxRetryError|NewConnectionError)"
    r"|requests\.exceptions\.(?:ConnectionError|Timeout|ChunkedEncodingError)"
    r"|httpx\.(?:TransportError|TimeoutException)"
)
"""Errors of clients of the network that need not be there: all say that nobody answered."""
LEAST_STATUS, PASSING_STATUSES = 500, frozenset({401, 403, 408, 425, 429})
"""What a server answers that cannot now, or whose keys are not those of now."""

PASSING_STATUS = 75
"""EX_TEMPFAIL of sysexits.h: what a child ends with whose surroundings failed it."""


class RemediableError(Exception):
    """Something the user can put right.

    ``str(error)`` names the value at fault; ``remedy`` says what to do about it.
    """

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class SurroundingsError(RemediableError):
    """Something outside of the work that a person mends while the work waits."""


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it was raised from, or while."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def is_of_surroundings(error: BaseException) -> bool:
    """Return whether the disk, the network, memory or the host failed, and not the work."""
    if isinstance(error, SurroundingsError | http.client.HTTPException | socket.gaierror):
        return True
    if isinstance(error, ssl.SSLError):
        return not isinstance(error, ssl.SSLCertVerificationError)
    if (status := _status_of(error)) is not None:
        return status >= LEAST_STATUS or status in PASSING_STATUSES
    return (
        _is_of_host(error)
        or is_of_memory(error)
        or _is_of_client(error)
        or bool(PASSING_WORDS.search(str(error)))
    )


def is_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out: others may give it back, or the work may want too much."""
    no_memory = isinstance(error, OSError) and error.errno == errno.ENOMEM
    return no_memory or isinstance(error, MemoryError) or bool(MEMORY_WORDS.search(str(error)))


def has_spoiled_device(error: BaseException) -> bool:
    """Return whether this process cannot use its GPU any more, whatever it is to do there."""
    return any(SPOILED_WORDS.search(str(cause)) for cause in causes_of(error))


def is_of_reading(error: BaseException) -> bool:
    """Return whether it was not this file that could not be read, but any at this time."""
    return isinstance(error, OSError) and error.errno not in OF_ONE_FILE and _is_of_host(error)


def _is_of_host(error: BaseException) -> bool:
    if not isinstance(error, OSError):
        return False
    return error.errno in PASSING_ERRNOS or isinstance(error, ConnectionError | TimeoutError)


def _is_of_client(error: BaseException) -> bool:
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__)
    # What urllib cannot reach is no error of its own: it keeps the system's.
    reason = getattr(error, "reason", None)
    is_of_reason = isinstance(reason, OSError) and is_of_surroundings(reason)
    return is_of_reason or any(CLIENTS_ERRORS.fullmatch(name) for name in names)


def _status_of(error: BaseException) -> int | None:
    """Return what a server answered, as the errors of several clients keep it."""
    response = getattr(error, "response", None)
    told = getattr(response, "status_code", None)
    if told is None and isinstance(error, OSError):
        told = getattr(error, "code", None)  # urllib's HTTPError
    return told if isinstance(told, int) else None

"""The kinds of run that there are: each app declares its own in a module ``kinds``.

Web code names a kind; a worker imports the module that has its handler.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feedback_app.runs.progress import Progress

GPU = "gpu"
CPU = "cpu"
QUEUES = (CPU, GPU)

Handler = Callable[["Progress"], dict[str, object]]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """``tasks`` is the module that has the handler; only who does a run imports it.

    ``is_for_admins``: a coordinator may watch such a run, but neither cancel nor retry it.
    ``is_told``: who asked for it gets a notice when it is done or has failed; it leads to
    ``page``, an address's name with the field of the spec that is its argument, or to the run.
    ``is_one_of_many``: runs with the same such field are told of together.
    """

    name: str
    queue: str
    tasks: str
    is_for_admins: bool = False
    is_told: bool = False
    page: tuple[str, str] | None = None
    is_one_of_many: bool = False


_kinds: dict[str, Kind] = {}
_handlers: dict[str, Handler] = {}


def declare(*kinds: Kind) -> None:
    """Make kinds known to every process; an app calls it from its module ``kinds``."""
    for kind in kinds:
        if kind.queue not in QUEUES or _kinds.setdefault(kind.name, kind) != kind:
            raise ValueError(f"{kind.name} is declared twice, or for no queue: {kind.queue}")


def kind_of(name: str) -> Kind:
    try:
        return _kinds[name]
    except KeyError:
        raise ValueError(f"No app declares the kind of run {name!r}.") from None


def all_kinds() -> list[Kind]:
    return sorted(_kinds.values(), key=lambda kind: kind.name)


def handles(name: str) -> Callable[[Handler], Handler]:
    """Register the function that a worker calls for runs of this kind.

    It gets a ``Progress`` (with ``.run``), reports through it, and returns the
    run's result. It may be called again for the same run after a crash.
    """
    kind_of(name)

    def register(handler: Handler) -> Handler:
        _handlers[name] = handler
        return handler

    return register


def handler_of(name: str) -> Handler:
    """Return the function that does runs of this kind, imported where it is not yet."""
    if name not in _handlers:
        import_module(kind_of(name).tasks)
    return _handlers[name]

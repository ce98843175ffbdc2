"""The kinds of run that there are; web code names a kind, workers have its handler."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feedback_app.runs.progress import Progress

GPU = "gpu"
CPU = "cpu"

QUEUES = {
    "generate": GPU,
    "pretrain": GPU,
    "train_controlnet": GPU,
    "train_proxy": GPU,
    "pseudo_masks": GPU,
    "measure": GPU,
    "finetune": GPU,
    "train_reward_model": GPU,
    "compare_versions": GPU,
    "gate": GPU,
    "train_cell": GPU,
    "import_cohort": CPU,
    "export": CPU,
    "fill_study": CPU,
    "open_study": CPU,
    "add_candidates": CPU,
    "value_cases": CPU,
}

ADMINS_ONLY = {"export"}
"""Kinds that a coordinator may watch but neither cancel nor retry."""

Handler = Callable[["Progress"], dict[str, object]]
_handlers: dict[str, Handler] = {}


def handles(kind: str) -> Callable[[Handler], Handler]:
    """Register the function that a worker calls for runs of this kind.

    It gets a ``Progress`` (with ``.run``), reports through it, and returns the
    run's result. It may be called again for the same run after a crash.
    """
    if kind not in QUEUES:
        raise ValueError(f"unknown kind of run: {kind}")

    def register(handler: Handler) -> Handler:
        _handlers[kind] = handler
        return handler

    return register


def has_handler(kind: str) -> bool:
    """Whether this process has imported the handler of this kind."""
    return kind in _handlers


def handler_of(kind: str) -> Handler:
    return _handlers[kind]

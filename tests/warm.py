"""Processes that have torch and its company loaded from the start: tests' trainings and workers.

All come from one server process, which loads them once; a fresh interpreter takes some seconds of
processor time to do so. That a fresh one works is tested in ``tests/runs/test_children.py`` and,
with whole trainings, in those of a ControlNet and of pretraining.

torch is imported by these processes alone, not with this module: the process that only hands
tests out to others imports it too.
"""

import importlib
import multiprocessing
import os
import sys
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

PATIENCE_S = 300
LOADED = (
    "generation.commands.finetune",
    "generation.commands.pretrain",
    "generation.diffusion.sampling",
    "generation.measures.agreement",
    "generation.commands.train_cell",
    "tests.generation.cell_trainees",
    "tests.generation.trainees",
    "tests.generation.vlm.vlm_trainees",
    "tests.warm",
)


def start(target: Callable[..., None], *arguments: Any, **options: Any) -> ForkServerProcess:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(LOADED))
    process = context.Process(target=target, args=arguments, kwargs=options, daemon=True)
    process.start()
    return process


def start_command(module: str, run_dir: Path) -> ForkServerProcess:
    """Do what ``python -m module RUN_DIR`` does; what it says goes to the folder's ``said.txt``."""
    return start(_run_command, module, run_dir)


def exit_code(process: ForkServerProcess) -> int:
    """Wait for the process to end."""
    process.join(PATIENCE_S)
    assert process.exitcode is not None, f"not done within {PATIENCE_S} s"
    return process.exitcode


def start_worker(*arguments: str, environment: dict[str, str], log: Path) -> ForkServerProcess:
    """Do what ``celery --app feedback_app worker ARGUMENTS`` does in this environment."""
    return start(_run_worker, arguments, environment, log)


def _run_worker(arguments: tuple[str, ...], environment: dict[str, str], log: Path) -> None:
    os.setsid()
    _say_to(log)
    os.environ.clear()
    os.environ.update(environment)
    import torch

    torch.set_num_threads(int(environment.get("OMP_NUM_THREADS", torch.get_num_threads())))
    from feedback_app.celery import app

    app.worker_main(["worker", *arguments])


def _say_to(log: Path) -> None:
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(said, stream)


def _run_command(module: str, run_dir: Path) -> None:
    import torch

    torch.set_num_threads(1)
    _say_to(run_dir / "said.txt")
    sys.argv = [module, str(run_dir)]
    sys.exit(importlib.import_module(module).main())

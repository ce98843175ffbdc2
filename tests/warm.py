"""Processes that have torch and its company loaded from the start, for trainings of tests.

All come from one server process, which loads them once; a fresh interpreter takes some seconds of
processor time to do so. That a fresh one works is tested in ``tests/runs/test_children.py`` and,
with whole trainings, in those of a ControlNet and of pretraining.
"""

import importlib
import multiprocessing
import os
import sys
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import torch

PATIENCE_S = 300
LOADED = (
    "generation.commands.finetune",
    "generation.commands.pretrain",
    "tests.generation.cell_trainees",
    "tests.generation.trainees",
    "tests.warm",
)


def start(target: Callable[..., None], *arguments: Any, **options: Any) -> ForkServerProcess:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(LOADED))
    process = context.Process(target=target, args=arguments, kwargs=options)
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


def _run_command(module: str, run_dir: Path) -> None:
    torch.set_num_threads(1)
    said = os.open(run_dir / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(said, stream)
    sys.argv = [module, str(run_dir)]
    sys.exit(importlib.import_module(module).main())

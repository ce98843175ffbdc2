"""Several training processes, of one host or more, started by torchrun; one alone is fine too."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed

from generation.errors import RemediableError
from generation.hashing import sha256_of_file

LONGEST_WAIT = timedelta(hours=12)
"""How long a process waits while the first one does the stages that are not shared."""


@contextmanager
def joined() -> Iterator[None]:
    """Join the group that torchrun announces in the environment, if it does."""
    if "WORLD_SIZE" not in os.environ:
        yield
        return
    distributed.init_process_group(_backend(), timeout=LONGEST_WAIT)
    try:
        yield
    finally:
        distributed.destroy_process_group()


def _backend() -> str:
    """NCCL between GPUs where each process has one of its own; gloo for all else."""
    has_gpu_each = torch.cuda.device_count() >= int(os.environ["LOCAL_WORLD_SIZE"])
    return "cpu:gloo,cuda:nccl" if has_gpu_each else "gloo"


def count() -> int:
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    return distributed.get_rank() if distributed.is_initialized() else 0


def place_on_host() -> int:
    """Say which of its host's processes this one is."""
    return int(os.environ["LOCAL_RANK"]) if distributed.is_initialized() else 0


def is_broken(error: BaseException) -> bool:
    """Return whether an error says that another process, or the way to it, is gone."""
    told_by_gloo = isinstance(error, RuntimeError) and "gloo" in str(error)
    return count() > 1 and (isinstance(error, distributed.DistError) or told_by_gloo)


def share_of(batch_size: int) -> int:
    """Say how many of a batch each process takes."""
    share = batch_size // count()
    if not share:
        raise RemediableError(
            f"a batch of {batch_size} is too small for {count()} processes",
            remedy="Choose a larger batch, or start fewer processes.",
        )
    return share


CHUNK_BYTES = 64 * 1024 * 1024


def hand_on(folder: Path) -> None:
    """Wait for all, and give the first process's files of a folder to hosts that lack them.

    Hosts that share the folder have them, and nothing is sent. Of several processes of a host
    the first one writes.
    """
    if count() == 1:
        return
    told: list[dict[str, tuple[int, str]]] = [_files_in(folder) if rank() == 0 else {}]
    distributed.broadcast_object_list(told)  # every process comes here, so that it waits as well
    is_writer = rank() != 0 and place_on_host() == 0
    mine = _files_in(folder) if is_writer else told[0]
    for name, (size, sha256) in sorted(told[0].items()):
        is_lacking = mine.get(name, (0, ""))[1] != sha256
        if average(torch.tensor(float(is_lacking))) > 0:
            _send(folder / name, size, is_written=is_lacking)
    distributed.barrier()


def _files_in(folder: Path) -> dict[str, tuple[int, str]]:
    """Give size and hash of what lies in a folder, by name; files being written are left out."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".tmp":
            name = path.relative_to(folder).as_posix()
            found[name] = (path.stat().st_size, sha256_of_file(path))
    return found


def _send(path: Path, size: int, *, is_written: bool) -> None:
    """Send the first process's file to all, of whom some write it, whole or not at all."""
    temporary = path.with_name(f"{path.name}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    source = path.open("rb") if rank() == 0 else None
    target = temporary.open("wb") if is_written else None
    for start in range(0, size, CHUNK_BYTES):
        chunk = torch.empty(min(CHUNK_BYTES, size - start), dtype=torch.uint8)
        if source:
            chunk = torch.frombuffer(bytearray(source.read(len(chunk))), dtype=torch.uint8)
        distributed.broadcast(chunk, src=0)
        if target:
            target.write(chunk.numpy().tobytes())
    if source:
        source.close()
    if target:
        target.close()
        os.replace(temporary, path)


def average_gradients(parameters: list[torch.nn.Parameter]) -> None:
    """Make every process's gradients the mean over all of them, in one exchange."""
    if count() == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= count()
    parts = flat.split([gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def average(values: torch.Tensor) -> torch.Tensor:
    """Returns the mean over all processes of a tensor that each of them has."""
    if count() == 1:
        return values
    total = values.clone()
    distributed.all_reduce(total)
    return total / count()

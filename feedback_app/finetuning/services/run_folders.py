"""The run folder that a fine-tuning process finds: its spec, preferences and images."""

import json
import os
from pathlib import Path

from feedback_app.finetuning.models import FineTune, Snapshot
from feedback_app.images.models import Blob
from generation.specs import FineTuneSpec, write_spec


def write_run_folder(fine_tune: FineTune, run_dir: Path) -> FineTuneSpec:
    """Write all that the process needs, so that blobs may live anywhere; twice is no harm."""
    spec = FineTuneSpec(
        model=fine_tune.parent.source,
        preferences=str(write_preferences(fine_tune.snapshot, run_dir)),
        method=fine_tune.method,  # type: ignore[arg-type]
        **fine_tune.settings,
    )
    write_spec(spec, run_dir / "spec.json")
    return spec


def write_preferences(snapshot: Snapshot, run_dir: Path) -> Path:
    """The snapshot's pairs as JSON lines that name files of their images, and those files."""
    images = run_dir / "images"
    images.mkdir(parents=True, exist_ok=True)
    lines = [json.loads(line) for line in snapshot.blob.read().splitlines()]
    shown = {line[side] for line in lines for side in ("winner", "loser")}
    for blob in Blob.objects.filter(sha256__in=shown):
        _write(images / blob.sha256, blob.read())
    for line in lines:
        line |= {side: str(images / line[side]) for side in ("winner", "loser")}
    preferences = run_dir / "preferences.jsonl"
    _write(preferences, "".join(f"{json.dumps(line)}\n" for line in lines).encode())
    return preferences


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    temporary = path.with_name(f".{path.name}")
    temporary.write_bytes(content)
    os.replace(temporary, path)

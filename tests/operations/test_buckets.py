"""An installation moves into a bucket, is backed up from there, and leaves nothing lying about."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from feedback_app.images.blobs import places
from feedback_app.images.blobs.models import Blob
from feedback_app.images.blobs.services import store
from feedback_app.images.models import ModelVersion
from feedback_app.images.versions.folders import path_of
from feedback_app.operations import health
from feedback_app.operations.backups.manifests import check, read
from feedback_app.operations.buckets import orphans
from feedback_app.runs.models import Run, State
from tests.bucket import Host, environment, host

__all__ = ["environment", "host"]
pytestmark = pytest.mark.slow


@pytest.fixture
def root(host: Host, settings: Settings) -> Path:
    """A DATA_ROOT with three blobs, weights and a training that is over, without a bucket."""
    folder = host("one")
    url, storages = settings.STORAGE_URL, settings.STORAGES
    local = {"BACKEND": "feedback_app.images.blobs.storage.BlobStorage"}
    settings.STORAGE_URL, settings.STORAGES = "", {**storages, "default": local}
    for number in range(3):
        store(f"{number}".encode(), media_type="text/plain")
    ModelVersion.objects.create(name="a", location="data:models/a", sha256="0" * 64)
    now = timezone.now()
    run = Run.objects.create(
        kind="pretrain", queue="gpu", title="Train", state=State.SUCCEEDED, finished_at=now
    )
    for name, content in {
        "models/a/weights": "heavy",
        f"runs/{run.pk}/spec.json": json.dumps({"manifest": f"{folder}/runs/lines"}),
        f"runs/{run.pk}/checkpoint/training.pt": "state",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    settings.STORAGE_URL, settings.STORAGES = url, storages
    return folder


def test_it_moves_whole_and_goes_on_where_it_was_broken_off(
    root: Path, host: Host, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    damaged = Blob.objects.earliest("pk")
    content = (root / "blobs" / damaged.path).read_bytes()
    (root / "blobs" / damaged.path).write_text("something else")
    with pytest.raises(CommandError, match=f"1 files or folders are damaged.*{damaged.path}"):
        call_command("move_to_bucket")
    assert health._storage() == "is being moved"
    (root / "blobs" / damaged.path).write_bytes(content)
    call_command("move_to_bucket")
    assert "blobs: 1 put, 2 there already" in capsys.readouterr().out
    assert health._storage() == "ok"
    key, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    with pytest.raises(CommandError, match="holds another installation"):
        call_command("move_to_bucket")
    settings.SECRET_KEY = key

    other = host("two")
    assert {blob.read() for blob in Blob.objects.all()} == {b"0", b"1", b"2"}
    assert (path_of("data:models/a") / "weights").read_text() == "heavy"
    call_command("backup", str(tmp_path / "backup"))
    manifest = read(tmp_path / "backup")
    check(tmp_path / "backup", manifest)
    run = Run.objects.get()
    state = f"runs/{run.pk}/checkpoint/training.pt"
    assert {"models/a/weights", state} <= {part.name for part in manifest.parts}
    spec = json.loads((tmp_path / "backup" / "runs" / str(run.pk) / "spec.json").read_text())
    assert spec == {"manifest": f"{other}/runs/lines"}

    monkeypatch.setattr(orphans, "YOUNG", -timedelta(hours=1))
    Blob.objects.filter(pk=damaged.pk).delete()
    call_command("orphans")
    said = capsys.readouterr().out
    assert damaged.path in said and f"runs/{run.pk}/checkpoint" in said
    assert "2 files of 6 bytes, 1 folders" in said
    call_command("orphans", "--remove")
    assert orphans.find() == orphans.Orphans()
    assert {blob.read() for blob in Blob.objects.all()} == {b"1", b"2"} | {b"0"} - {content}
    assert dict(places.listings()).keys() == {"models/a", f"runs/{run.pk}"}

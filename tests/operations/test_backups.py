"""A backup is put back on another server, and a damaged or half one is not."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.images.blobs.models import Blob
from feedback_app.images.blobs.services import store
from feedback_app.local import homes
from feedback_app.local.homes import CHECKOUT
from feedback_app.local.postgres import Postgres
from feedback_app.operations.backups.manifests import check, read
from generation.errors import RemediableError
from tests.bucket import served
from tests.database import fill

pytestmark = pytest.mark.slow

ON_THE_OTHER_SERVER = """
import sys
from pathlib import Path
import django; django.setup()
from django.core.management import CommandError, call_command
from feedback_app.accounts.models import AuditEvent, User
from feedback_app.images.blobs.models import Blob
from django.conf import settings
from django.db import IntegrityError
folder = sys.argv[1]
call_command("restore", folder)
print(User.objects.get(username="ada").role, Blob.objects.get().read().decode())
print((settings.DATA_ROOT / "models" / "a" / "weights").read_text())
print((settings.DATA_ROOT / "runs" / "b" / "pictures" / Blob.objects.get().path).is_file())
try:
    AuditEvent.objects.update(target="changed")
except IntegrityError as error:
    print("append-only" in str(error))
try:
    call_command("restore", folder)
except CommandError as error:
    print(str(error).splitlines()[0])
User.objects.create_user("late")
call_command("restore", folder, "--replace")
aside = list(settings.DATA_ROOT.glob("replaced-*/*"))
print(User.objects.filter(username="late").exists(), len(aside))
"""

ON_A_HOST = """
import shutil, sys
from pathlib import Path
import django; django.setup()
from django.conf import settings
from django.core.management import call_command
from feedback_app.images.blobs.models import Blob
from feedback_app.images.versions.folders import path_of
call_command("restore", *sys.argv[1].split())
for name in sys.argv[2:]:
    shutil.rmtree(settings.DATA_ROOT)
    settings.DATA_ROOT.mkdir()
    call_command("backup", name)
print(Blob.objects.get().read().decode(), (path_of("data:models/a") / "weights").read_text())
"""


@pytest.fixture
def other_server(tmp_path: Path, pytestconfig: pytest.Config) -> Iterator[Postgres]:
    home = homes.claim(tmp_path / "other")
    server = Postgres(home, is_throw_away=True)
    server.start()
    fill(server.url, pytestconfig.cache.mkdir("database"))
    yield server
    server.stop()
    home.remove()
    home.release()


@pytest.fixture
def backup(committed: None, ada: User, storage: Path, tmp_path: Path) -> Path:
    record("study.opened", actor=ada, target="A study")
    store("schön".encode(), media_type="text/plain")
    (storage / "models" / "a").mkdir(parents=True)
    (storage / "models" / "a" / "weights").write_text("heavy")
    (storage / "runs" / "b").mkdir(parents=True)
    (storage / "runs" / "b" / "pictures").symlink_to("../../blobs")
    (storage / "runs" / "b" / "elsewhere").symlink_to(tmp_path)
    folder = tmp_path / "backup"
    call_command("backup", str(folder))
    return folder


def test_a_backup_is_put_back_on_another_server(
    backup: Path, other_server: Postgres, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ON_THE_OTHER_SERVER, backup],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "DATABASE_URL": other_server.url,
            "DATA_ROOT": str(tmp_path / "data"),
            "SECRET_KEY": settings.SECRET_KEY,
            "DJANGO_SETTINGS_MODULE": "feedback_app.settings",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if not line.startswith(("the ", "Rest"))]
    assert lines[:4] == ["admin schön", "heavy", "True", "True"]
    assert lines[4].startswith("This installation is in use: there is something in accounts_user")
    assert lines[-1] == "False 3"
    assert "SECRET_KEY" not in done.stdout


def test_a_backup_is_put_into_a_bucket_and_one_of_the_bucket_into_a_folder(
    backup: Path, other_server: Postgres, tmp_path: Path
) -> None:
    def host(*arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
        given = {
            "DATABASE_URL": other_server.url,
            "DATA_ROOT": str(tmp_path / "data"),
            "SECRET_KEY": settings.SECRET_KEY,
            "DJANGO_SETTINGS_MODULE": "feedback_app.settings",
        }
        command = [sys.executable, "-c", ON_A_HOST, *map(str, arguments)]
        env = os.environ | given | more
        return subprocess.run(
            command, cwd=CHECKOUT, env=env, capture_output=True, text=True, check=False
        )

    second = tmp_path / "second"
    with served(tmp_path) as bucket:
        done = host(backup, second, **bucket)  # its folder is emptied before it is backed up
        assert done.stdout.splitlines()[-1:] == ["schön heavy"], done.stderr
        refused = host(f"{second} --replace", **bucket, SECRET_KEY="another")
        assert "holds another installation" in refused.stderr
        again = host(f"{second} --replace", **bucket)
        assert again.stdout.splitlines()[-1:] == ["schön heavy"], again.stderr
    done = host(f"{second} --replace", DATA_ROOT=str(tmp_path / "local"))
    assert done.stdout.splitlines()[-1:] == ["schön heavy"], done.stderr
    assert (tmp_path / "local" / "models" / "a" / "weights").is_file()


def test_a_damaged_a_half_and_a_newer_backup_are_refused(backup: Path, tmp_path: Path) -> None:
    assert not (backup.stat().st_mode & 0o077)
    blob = Blob.objects.get()
    for name in ("database.dump", f"blobs/{blob.path}", "models/a/weights"):
        copy = tmp_path / "copy"
        shutil.copytree(backup, copy)
        content = bytearray((copy / name).read_bytes())
        content[len(content) // 2] ^= 1
        (copy / name).write_bytes(content)
        with pytest.raises(RemediableError, match=f"damaged at {name}: its hash"):
            check(copy, read(copy))
        (copy / name).unlink()
        with pytest.raises(RemediableError, match="it is missing"):
            check(copy, read(copy))
        shutil.rmtree(copy)
    manifest = json.loads((backup / "manifest.json").read_text())
    manifest["migrations"].append(["runs", "9999_from_the_future"])
    manifest["parts"].append({"name": "../escaped", "size_bytes": 1, "sha256": ""})
    (backup / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CommandError, match=r"newer version: runs\.9999_from_the_future"):
        call_command("restore", str(backup), "--replace")
    with pytest.raises(RemediableError, match=r"damaged at \.\./escaped"):
        check(backup, read(backup))
    manifest["parts"].pop()
    manifest["links"] = [["runs/b/pictures", "../../../etc"]]
    (backup / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RemediableError, match="a link out of the storage"):
        check(backup, read(backup))
    (backup / "manifest.json").unlink()
    with pytest.raises(CommandError, match="was not finished"):
        call_command("restore", str(backup), "--replace")
    with pytest.raises(CommandError, match="is not empty"):
        call_command("backup", str(backup))
    assert User.objects.filter(username="ada").exists()


def test_what_is_damaged_here_is_said(backup: Path, storage: Path, tmp_path: Path) -> None:
    (storage / "blobs" / Blob.objects.get().path).write_bytes(b"other")
    with pytest.raises(CommandError, match="but for 1 blobs"):
        call_command("backup", str(tmp_path / "second"))
    assert read(tmp_path / "second").damaged == [Blob.objects.get().sha256]

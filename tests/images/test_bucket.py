"""Blobs and folders in a bucket: checked, fetched once, kept within bounds, and errors in words."""

import os
import shutil
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from boto3.exceptions import RetriesExceededError
from botocore.exceptions import ClientError, NoCredentialsError
from django.core.files.storage import default_storage, storages
from pytest_django import Settings
from urllib3.exceptions import ProtocolError

from feedback_app.environment import bucket as options_of
from feedback_app.images.blobs import bucket, places
from feedback_app.images.blobs.services import store, store_file
from feedback_app.images.cohorts.uploads import arrived, discard
from feedback_app.images.models import ModelVersion
from feedback_app.images.versions.folders import path_of
from feedback_app.images.versions.services import register, require_weights
from feedback_app.runs.trouble import trouble_of
from generation.errors import RemediableError
from tests.bucket import NAME, Host, client_of, environment, host

__all__ = ["environment", "host"]


def test_a_blob_goes_up_checked_and_comes_down_once(
    host: Host, environment: dict[str, str], tmp_path: Path
) -> None:
    host("one")
    blob = store(b"a picture", media_type="image/png")
    (tmp_path / "archive").write_bytes(b"a finished file")
    archive = store_file(tmp_path / "archive", media_type="application/zip")
    assert (store(b"a picture", media_type="image/png"), blob.size_bytes) == (blob, 9)

    other = host("two")
    assert (blob.read(), archive.read()) == (b"a picture", b"a finished file")
    client = client_of(environment["STORAGE_ENDPOINT"])
    key = f"{tmp_path.name}/{blob.path}"
    client.put_object(Bucket=NAME, Key=key, Body=b"another one")
    assert blob.read() == b"a picture"  # as it was fetched
    (other / "blobs" / blob.path).unlink()
    with pytest.raises(RemediableError, match="damaged"):
        blob.read()
    assert not (other / "blobs" / blob.path).exists()
    client.delete_object(Bucket=NAME, Key=key)
    with pytest.raises(RemediableError, match="missing"):
        blob.read()


def test_a_bucket_that_is_away_is_trouble_that_passes_and_one_that_refuses_says_so(
    host: Host, settings: Settings, environment: dict[str, str]
) -> None:
    host("one")
    for name, changed, raised in (
        ("endpoint_url", "http://127.0.0.1:9", ConnectionError),
        ("bucket_name", "nobody-has-this-one", FileNotFoundError),
    ):
        default = settings.STORAGES["default"]
        options = {**default["OPTIONS"], name: changed}
        settings.STORAGES = {**settings.STORAGES, "default": {**default, "OPTIONS": options}}
        with pytest.raises(raised):
            default_storage.open("aa/none")
        settings.STORAGES = {**settings.STORAGES, "default": default}


@pytest.mark.parametrize(
    ("code", "status", "passes"),
    [
        *(("SlowDown", 503, True), ("InternalError", 500, True), ("503", 503, True)),
        *(("RequestTimeout", 400, True), ("ThrottlingException", 400, True), ("429", 429, True)),
        *(("ExpiredToken", 400, True), ("RequestTimeTooSkewed", 403, True), ("403", 403, True)),
        *(("NoSuchKey", 404, False), ("NoSuchBucket", 404, False), ("EntityTooLarge", 400, False)),
    ],
)
def test_a_busy_bucket_and_keys_that_ran_out_put_a_run_back(
    code: str, status: int, *, passes: bool
) -> None:
    answer: Any = {
        "Error": {"Code": code, "Message": "said"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    with pytest.raises((RemediableError, OSError)) as raised, bucket.naming_the_bucket():
        raise ClientError(answer, "PutObject")
    trouble = trouble_of(raised.value)
    assert (trouble is not None) == passes
    assert trouble is None or "The bucket" in trouble.why
    for lost in (RetriesExceededError(OSError()), ProtocolError("broken"), NoCredentialsError()):
        with pytest.raises(ConnectionError), bucket.naming_the_bucket():
            raise lost


def test_what_a_host_keeps_is_bounded_but_for_what_is_in_use(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    for number in range(10):
        path = kept / f"{number}"
        path.write_bytes(b"x" * 100)
        os.utime(path, (number, number))
    os.utime(kept / "0")  # used just now
    os.link(kept / "1", tmp_path / "pinned")
    bucket.trim(kept, limit=500)
    assert sorted(path.name for path in kept.iterdir()) == ["0", "1", "8", "9"]


def test_a_model_registered_on_one_host_is_there_on_another(
    host: Host, tiny_model: Path, tmp_path: Path
) -> None:
    host("one")
    model = shutil.copytree(tiny_model, tmp_path / "elsewhere" / "tiny")
    version = register("tiny", str(model))
    assert version.location == f"data:models/{version.sha256}"
    shutil.rmtree(model)
    other = host("two")
    require_weights(version)
    assert path_of(version.location) == other / "models" / version.sha256
    assert register("tiny", str(tiny_model)) == version == ModelVersion.objects.get()


def test_a_run_folder_names_files_of_whichever_host_it_is_on(host: Host) -> None:
    first = host("one")
    blob = store(b"an image", media_type="image/png")
    run_dir = first / "runs" / "of-a-cohort"
    run_dir.mkdir(parents=True)
    line = '{"path": "' + places.path_of_blob(blob.sha256) + '"}\n'
    (run_dir / "manifest.jsonl").write_text(line)
    (run_dir / "spec.json").write_text('{"manifest": "' + f'{run_dir}/manifest.jsonl"}}')
    places.put(run_dir)

    second = host("two")
    there = places.bring(second / "runs" / "of-a-cohort")
    places.fetch_named(there)
    assert str(first) not in (there / "spec.json").read_text()
    assert str(second) in (there / "manifest.jsonl").read_text()
    fetched = Path(places.path_of_blob(blob.sha256))
    assert (fetched.read_bytes(), fetched.stat().st_nlink) == (b"an image", 2)


def test_a_training_goes_on_from_the_newest_state_of_any_host(host: Host) -> None:
    def keep(root: Path, content: bytes, *, at: int) -> None:
        state = root / "runs" / "training" / "checkpoint" / "denoiser.pt"
        state.parent.mkdir(parents=True, exist_ok=True)
        state.write_bytes(content)
        os.utime(state, (at, at))
        places.put_state(root / "runs" / "training")

    def state_on(name: str) -> bytes:
        run_dir = host(name) / "runs" / "training"
        places.bring_state(run_dir)
        return (run_dir / "checkpoint" / "denoiser.pt").read_bytes()

    keep(host("one"), b"step 100", at=1_000)
    first = store(b"step 100", media_type="x")
    assert state_on("two") == b"step 100"
    keep(host("two"), b"step 200", at=2_000)
    assert state_on("one") == b"step 200"
    assert not default_storage.exists(first.path)
    later = host("one") / "runs" / "training" / "checkpoint" / "denoiser.pt"
    later.write_bytes(b"step 300")  # newer than what is in the bucket
    assert state_on("one") == b"step 300"


def test_an_upload_is_read_on_another_host_and_gone_afterwards(host: Host) -> None:
    upload = host("one") / "uploads" / "new"
    upload.mkdir(parents=True)
    (upload / "labels.csv").write_text("a,b\n")
    places.put(upload)
    other = host("two")
    there = arrived(upload.parent.parent.parent / "gone" / "uploads" / "new")
    assert there == other / "uploads" / "new"
    assert (there / "labels.csv").read_text() == "a,b\n"
    discard(there)
    assert not arrived(there).exists()


def test_an_address_is_signed_where_downloads_leave_the_bucket_themselves(
    host: Host, settings: Settings
) -> None:
    host("one")
    blob = store(b"an archive", media_type="application/zip")
    assert places.signed_address(blob, file_name="set.zip", expire_s=60) is None
    settings.STORAGE_SIGNED_DOWNLOADS = True
    address = places.signed_address(blob, file_name="set.zip", expire_s=60)
    assert address is not None
    assert "X-Amz-Signature=" in address
    with urlopen(address) as answer:
        assert answer.read() == b"an archive"
        assert "set.zip" in answer.headers["Content-Disposition"]


def test_a_storage_address_that_is_none_stops_the_start() -> None:
    from django.core.exceptions import ImproperlyConfigured

    keys = {"endpoint": "", "region": "", "access_key": "", "secret_key": ""}
    for url, changed in (("https://bucket", {}), ("s3:///x", {}), ("s3://b", {"access_key": "k"})):
        with pytest.raises(ImproperlyConfigured):
            options_of(url, **{**keys, **changed})
    assert storages.backends["staticfiles"]

"""Blobs: there in full or not at all."""

import errno
import resource
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from django.conf import settings

from feedback_app.images.blobs.pixels import encode_png
from feedback_app.images.blobs.services import open_picture, store, store_file
from feedback_app.images.models import Blob
from generation.errors import RemediableError

pytestmark = pytest.mark.django_db

CONTENT = b"content" * 1_000


def files() -> list[Path]:
    return [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]


def test_the_same_bytes_are_stored_once() -> None:
    first = store(CONTENT, media_type="text/plain")
    assert store(CONTENT, media_type="text/plain") == first
    assert Blob.objects.count() == len(files()) == 1
    assert first.read() == CONTENT


def test_a_finished_file_is_moved_into_place(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.write_bytes(CONTENT)
    blob = store_file(made, media_type="text/plain")
    assert blob.read() == CONTENT
    assert not made.exists()


def test_a_full_disk_is_named_and_leaves_nothing() -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, limits[1]))  # the kernel refuses more
    try:
        with pytest.raises(RemediableError, match="no room left") as caught:
            store(CONTENT, media_type="text/plain")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "Free some room" in caught.value.remedy
    assert not files()
    assert not Blob.objects.exists()
    assert store(CONTENT, media_type="text/plain").read() == CONTENT


def test_a_writer_that_dies_halfway_leaves_nothing_under_the_content_address() -> None:
    with patch("os.fsync", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        store(CONTENT, media_type="text/plain")
    assert not files()


def test_other_errors_of_the_disk_pass_as_they_are() -> None:
    with patch("os.fsync", side_effect=OSError(errno.EIO, "bad disk")), pytest.raises(OSError):
        store(CONTENT, media_type="text/plain")
    assert not files()


def test_a_file_of_another_size_is_replaced_and_a_damaged_one_is_noticed() -> None:
    blob = store(CONTENT, media_type="text/plain")
    path = settings.MEDIA_ROOT / blob.path
    path.write_bytes(CONTENT[:10])
    with pytest.raises(RemediableError, match="damaged"):
        blob.read()
    store(CONTENT, media_type="text/plain")
    assert blob.read() == CONTENT


def test_a_missing_file_is_named() -> None:
    blob = store(CONTENT, media_type="text/plain")
    (settings.MEDIA_ROOT / blob.path).unlink()
    with pytest.raises(RemediableError, match="is missing"):
        blob.read()


def test_candidates_of_one_size_have_files_of_one_size_and_lose_nothing() -> None:
    black = np.zeros((64, 64), dtype=np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    assert len(encode_png(black)) == len(encode_png(noise))
    assert (np.asarray(open_picture(encode_png(noise), name="noise")) == noise).all()

"""A stored file that is missing or damaged is said on the page, and never served as it is."""

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from feedback_app.images.blobs.models import Blob
from tests.readings.rooms import synthetic

pytestmark = pytest.mark.django_db


def file_of(blob: Blob) -> Path:
    return Path(settings.MEDIA_ROOT) / blob.path


def test_a_missing_file_of_an_image_is_named_with_what_to_do(cora_client: Client) -> None:
    image = synthetic(1)
    file_of(image.blob).unlink()
    answer = cora_client.get(reverse("images:file", args=[image.pk]))
    assert answer.status_code == 503
    assert image.blob_id in answer.content.decode()
    assert "Put it back from a backup" in answer.content.decode()


def test_a_damaged_file_of_an_image_is_not_served(cora_client: Client) -> None:
    image = synthetic(1)
    path = file_of(image.blob)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    answer = cora_client.get(reverse("images:file", args=[image.pk]))
    assert answer.status_code == 503
    assert "is damaged" in answer.content.decode()
    with pytest.raises(Exception, match="is damaged"):
        image.blob.open_checked()

"""Pictures that differ are rendered before anybody reads, so that no fetch tells by its time."""

import io

import numpy as np
import PIL.Image
import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.images.blobs.services import store_image
from feedback_app.images.models import Image
from feedback_app.readings import pictures, rendering
from feedback_app.readings.framing import Size
from feedback_app.readings.pictures import KEPT_BYTES, PictureCache, rendered_name
from feedback_app.studies.models import Study, StudyState
from feedback_app.studies.services import begin_opening, open_study
from tests.readings.rooms import make_room, synthetic

pytestmark = pytest.mark.django_db
SERVED = Size(32, 32)


def large_jpeg(seed: int) -> Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (96, 128), dtype=np.uint8)
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, format="JPEG")
    return store_image(file.getvalue(), name=f"radiograph {seed}")


def draft_of(rosa: User, *images: Image, name: str = "Room") -> Study:
    study = make_room("rate", rosa, cases=[[image] for image in images], name=name)
    Study.objects.filter(pk=study.pk).update(state=StudyState.DRAFT, opened_at=None)
    study.refresh_from_db()
    return study


def remove_blobs(study: Study) -> None:
    for image in rendering.images_of(study):
        default_storage.delete(image.blob.path)


def test_every_fetch_of_an_opened_study_reads_one_file_of_one_length(
    rosa: User, rosa_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = open_study(draft_of(rosa, synthetic(1), large_jpeg(2), large_jpeg(3)))
    monkeypatch.setattr(pictures, "_cache", PictureCache(KEPT_BYTES))
    remove_blobs(study)  # nothing can be decoded any more
    lengths = set()
    for slot in study.slots.all():
        answer = rosa_client.get(reverse("readings:picture", args=[slot.pk, 0]))
        assert answer.status_code == 200
        lengths.add(len(answer.content))
    assert len(lengths) == 1


def test_images_that_are_all_alike_are_not_rendered_ahead(rosa: User) -> None:
    image = synthetic(1)
    open_study(draft_of(rosa, image, synthetic(2)))
    assert not default_storage.exists(rendered_name(image, SERVED))


def test_a_damaged_picture_keeps_no_study_closed(rosa: User) -> None:
    damaged, whole = large_jpeg(1), synthetic(2)
    default_storage.delete(damaged.blob.path)
    study = open_study(draft_of(rosa, damaged, whole))
    assert study.is_open
    assert default_storage.exists(rendered_name(whole, SERVED))


def test_where_there_is_much_to_render_a_run_opens_the_study(
    rosa: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "AT_ONCE", 1)
    study = begin_opening(draft_of(rosa, synthetic(1), large_jpeg(2)))
    assert study.state == StudyState.DRAFT
    assert study.slots_run is not None
    alike = begin_opening(draft_of(rosa, synthetic(3), synthetic(4), name="Alike"))
    assert alike.is_open

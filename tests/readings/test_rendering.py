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
from feedback_app.readings.pictures import (
    KEPT_BYTES,
    PictureCache,
    rendered_mask_name,
    rendered_name,
)
from feedback_app.studies.models import (
    CaseReference,
    Study,
    StudyState,
    TrainingCase,
    TrainingImage,
)
from feedback_app.studies.services import begin_opening, open_study
from tests.readings.rooms import make_room, mask_blob, real, synthetic

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


def training_of(study: Study, image: Image) -> TrainingCase:
    training = TrainingCase.objects.create(study=study, position=0)
    TrainingImage.objects.create(case=training, image=image, position=0)
    return training


def test_what_only_its_origin_tells_apart_is_rendered_ahead_everywhere_in_a_study(
    rosa: User,
) -> None:
    """Training cases, images beside a case and masks too: other writers' files of one size."""
    trained, beside, mask = real(8, mode="RGB"), real(9, mode="I;16"), mask_blob(size=(64, 64))
    study = make_room("rate", rosa, cases=[[synthetic(1)], [synthetic(2)]], mask=mask)
    Study.objects.filter(pk=study.pk).update(state=StudyState.DRAFT, opened_at=None)
    study.refresh_from_db()
    assert not rendering.differ(study)
    training_of(study, trained)
    case = study.cases.first()
    assert case is not None
    CaseReference.objects.create(case=case, image=beside)
    assert rendering.differ(study)
    open_study(study)
    assert all(default_storage.exists(rendered_name(one, SERVED)) for one in (trained, beside))
    assert default_storage.exists(rendered_mask_name(mask, SERVED))


def test_what_is_gone_of_them_is_put_back_and_takes_a_round_time(
    rosa: User, rosa_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = open_study(draft_of(rosa, synthetic(1), large_jpeg(2)))
    slept: list[float] = []
    monkeypatch.setattr(pictures, "_cache", PictureCache(0))
    monkeypatch.setattr("feedback_app.readings.pictures.time.sleep", slept.append)
    names = [rendered_name(image, SERVED) for image in rendering.images_of(study)]
    for name in names:
        default_storage.delete(name)
    for _ in range(2):
        for slot in study.slots.all():
            assert rosa_client.get(reverse("readings:picture", args=[slot.pk, 0])).content
    assert len(slept) == 2 and all(0 < seconds <= pictures.ROUND_S for seconds in slept)
    assert all(default_storage.exists(name) for name in names)


def test_a_storage_that_is_away_for_a_minute_has_damaged_no_picture(
    rosa: User, rosa_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = open_study(draft_of(rosa, synthetic(1), large_jpeg(2)))
    monkeypatch.setattr(pictures, "_cache", PictureCache(0))

    def away(*_: object) -> None:
        raise ConnectionError("The bucket does not answer")

    monkeypatch.setattr(type(default_storage), "open", away, raising=False)
    slot = study.slots.first()
    assert slot is not None
    answer = rosa_client.get(reverse("readings:picture", args=[slot.pk, 0]))
    assert answer.status_code == 503
    assert "Try again in a moment" in answer.json()["error"]["remedy"]

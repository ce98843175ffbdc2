"""The work list and the reading page, for the whole cast."""

import io
import re
import uuid

import numpy as np
import PIL.Image
import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.readings.services import submit
from feedback_app.studies.models import Slot, Study
from feedback_app.studies.services import close_study
from tests.readings.answers import scores_for
from tests.studies.making import BATCH_NAME, MODEL_NAME, SEED, make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(rosa: User, ravi: User) -> Study:
    return make_study(rosa, ravi)


@pytest.fixture
def slot(study: Study, rosa: User) -> Slot:
    return Slot.objects.get(study=study, reader=rosa, position=0)


def read(slot: Slot, *, value: int = 3, active_ms: int = 60_000) -> None:
    assert slot.reader is not None
    submit(
        slot=slot,
        reader=slot.reader,
        idempotency_key=uuid.uuid4(),
        scores=scores_for(slot, value=value),
        active_ms=active_ms,
    )


def addresses_of(slot: Slot) -> list[str]:
    return [
        reverse("readings:read", args=[slot.pk]),
        reverse("readings:picture", args=[slot.pk, 0]),
    ]


def test_a_slot_is_there_for_its_own_reader_only(everyone: dict[str, Client], slot: Slot) -> None:
    for address in addresses_of(slot):
        for name, client in everyone.items():
            status = client.get(address).status_code
            assert status == {"rosa": 200, "nobody": 302}.get(name, 404), (name, address)


def test_a_draft_is_not_there_for_its_readers(rosa: User, rosa_client: Client, slot: Slot) -> None:
    Study.objects.update(state="draft")
    for address in addresses_of(slot):
        assert rosa_client.get(address).status_code == 404
    assert b"No cases are waiting" in rosa_client.get(reverse("readings:worklist")).content


def test_everybody_has_a_work_list_of_their_own(everyone: dict[str, Client], study: Study) -> None:
    for name, client in everyone.items():
        response = client.get(reverse("readings:worklist"))
        if name == "nobody":
            assert response.status_code == 302
            continue
        assert response.status_code == 200
        assert (study.name.encode() in response.content) == (name in {"rosa", "ravi"})


def test_the_work_list_goes_on_where_the_reader_stopped(
    rosa_client: Client, slot: Slot, rosa: User
) -> None:
    assert b"Start" in rosa_client.get(reverse("readings:worklist")).content
    read(slot)
    page = rosa_client.get(reverse("readings:worklist")).content.decode()
    second = Slot.objects.get(study=slot.study, reader=rosa, position=1)
    assert "Continue" in page
    beginning = reverse("readings:begin", args=[slot.study_id])
    assert f'action="{beginning}"' in page
    assert rosa_client.post(beginning)["Location"] == reverse("readings:read", args=[second.pk])
    assert "1 of 2 cases read" in page
    assert "about 1 min to go" in page


def test_a_finished_study_can_be_looked_at_again(rosa_client: Client, study: Study) -> None:
    for slot in study.slots.all():
        read(slot)
    page = rosa_client.get(reverse("readings:worklist")).content
    assert b"Everything is read" in page
    assert b"Look again or revise" in page


def test_a_closed_study_stays_readable(rosa_client: Client, slot: Slot) -> None:
    close_study(slot.study)
    assert rosa_client.get(reverse("readings:read", args=[slot.pk])).status_code == 200
    worklist = rosa_client.get(reverse("readings:worklist")).content
    assert b"closed</span>" in worklist
    assert b"0 of 2" in worklist
    assert b"Everything is read" not in worklist


def test_pictures_are_lossless_and_in_the_order_of_the_slot(
    rosa_client: Client, slot: Slot
) -> None:
    for place, image in enumerate(slot.images_in_order()):
        response = rosa_client.get(reverse("readings:picture", args=[slot.pk, place]))
        shown = np.asarray(PIL.Image.open(io.BytesIO(response.content)))
        stored = np.asarray(PIL.Image.open(io.BytesIO(image.blob.read())))
        assert shown.dtype == np.uint8
        assert (shown == stored).all()


def test_there_is_no_picture_beyond_the_last(rosa_client: Client, slot: Slot) -> None:
    assert rosa_client.get(reverse("readings:picture", args=[slot.pk, 4])).status_code == 404


def test_pictures_of_a_size_have_one_number_of_bytes(rosa_client: Client, slot: Slot) -> None:
    sizes = {
        len(rosa_client.get(reverse("readings:picture", args=[slot.pk, place])).content)
        for place in range(4)
    }
    assert len(sizes) == 1


def test_nothing_a_reader_gets_tells_where_an_image_comes_from(
    rosa_client: Client, slot: Slot
) -> None:
    secrets = {MODEL_NAME, BATCH_NAME, str(SEED)[:6], str(slot.case_id)}
    for image in slot.images_in_order():
        recipe = image.candidate.recipe
        secrets |= {str(image.pk), image.pk.hex, recipe.key, str(recipe.seed)}
        secrets |= {image.blob_id, image.pixels_sha256}
    answers = [
        rosa_client.get(address)
        for address in (
            reverse("readings:worklist"),
            reverse("readings:read", args=[slot.pk]),
            reverse("api:slot", args=[slot.pk]),
            *(reverse("readings:picture", args=[slot.pk, place]) for place in range(4)),
        )
    ]
    for answer in answers:
        assert answer.status_code == 200
        text = str(answer.headers) + answer.content.decode("latin-1")
        assert not {secret for secret in secrets if secret in text}
    for picture in answers[3:]:
        assert not {"ETag", "Last-Modified", "Content-Disposition"} & set(picture.headers)
        assert picture["Cache-Control"] == "private, no-store"
        chunks = re.findall(rb"(?:tEXt|zTXt|iTXt|tIME|eXIf|pHYs)", picture.content[:200])
        assert not chunks

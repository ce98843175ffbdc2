"""Pictures: exact pixels, one size a study, regions back on the stored image, damage named."""

import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.images.blobs.services import store_image
from feedback_app.images.models import Image
from feedback_app.readings.framing import Framing, Size
from feedback_app.readings.models import Region
from feedback_app.readings.pictures import PictureCache
from feedback_app.readings.services import GivenFlag, GivenRegion
from feedback_app.studies.models import CaseImage, CaseMask, Slot
from tests.readings.answers import read
from tests.readings.rooms import assign, make_room, mask_blob, png, synthetic

pytestmark = pytest.mark.django_db


def room_of(rosa: User, *images: Image, **values: object) -> list[Slot]:
    study = make_room("rate", rosa, cases=[[image] for image in images], **values)  # type: ignore[arg-type]
    return assign(study, rosa)


def picture_of(client: Client, slot: Slot) -> np.ndarray:
    answer = client.get(reverse("readings:picture", args=[slot.pk, 0]))
    assert answer.status_code == 200
    return np.asarray(PIL.Image.open(io.BytesIO(answer.content)))


def stored(image: Image) -> np.ndarray:
    return np.asarray(PIL.Image.open(io.BytesIO(image.blob.read())))


def file_of(image: Image) -> Path:
    return Path(settings.MEDIA_ROOT) / image.blob.path


def test_where_all_have_one_size_pixels_are_served_as_stored(
    rosa: User, rosa_client: Client
) -> None:
    image = synthetic(1, size=(40, 32))
    slot = room_of(rosa, image, synthetic(2, size=(40, 32)))[0]
    assert (picture_of(rosa_client, slot) == stored(image)).all()


def test_mixed_sizes_are_served_at_the_smallest(rosa: User, rosa_client: Client) -> None:
    slots = room_of(rosa, synthetic(1, size=(40, 32)), synthetic(2, size=(32, 64)))
    for slot in slots:
        assert picture_of(rosa_client, slot).shape == (32, 32)
        image = rosa_client.get(reverse("api:slot", args=[slot.pk])).json()["images"][0]
        assert (image["width"], image["height"]) == (32, 32)


def test_the_central_part_is_served_where_proportions_differ(
    rosa: User, rosa_client: Client
) -> None:
    wide = synthetic(1, size=(48, 32))
    slot = room_of(rosa, wide, synthetic(2))[0]
    assert (picture_of(rosa_client, slot) == stored(wide)[:, 8:40]).all()


def test_the_size_stays_though_a_smaller_image_comes_later(rosa: User, rosa_client: Client) -> None:
    slot = room_of(rosa, synthetic(1), synthetic(2))[0]
    assert picture_of(rosa_client, slot).shape == (32, 32)
    CaseImage.objects.create(case=slot.case, image=synthetic(3, size=(16, 16)), position=1)
    assert picture_of(rosa_client, slot).shape == (32, 32)


def test_a_region_on_a_scaled_picture_is_stored_in_pixels_of_the_image(
    rosa: User, rosa_client: Client
) -> None:
    slot = room_of(rosa, synthetic(1, size=(80, 64)), synthetic(2, size=(32, 32)))[0]
    drawn = [(1.0, 2.0), (10.5, 32.0)]
    read(slot, flags=[GivenFlag(0, "noise", "minor", [GivenRegion("box", drawn)])])
    assert Region.objects.get().points == [[8 + 2.0, 4.0], [8 + 21.0, 64.0]]
    case = rosa_client.get(reverse("api:slot", args=[slot.pk])).json()
    assert case["reading"]["flags"][0]["regions"] == [
        {"shape": "box", "points": [list(point) for point in drawn]}
    ]


def test_framing_goes_there_and_back() -> None:
    framing = Framing.of(Size(width=1_000, height=777), Size(width=300, height=256))
    points = [(0.0, 0.0), (300.0, 256.0), (123.456, 7.89)]
    there = framing.to_stored(points)
    assert there[0][0] == pytest.approx(framing.left)
    assert there[1] == pytest.approx((1_000 - framing.left, 777 - framing.top))
    assert framing.to_served(there) == points


def test_a_mask_is_framed_like_its_image_and_stays_black_and_white(
    rosa: User, rosa_client: Client
) -> None:
    mask = mask_blob(size=(64, 64))
    slot = room_of(rosa, synthetic(1, size=(64, 64)), synthetic(2), mask=mask)[0]
    case = rosa_client.get(reverse("api:slot", args=[slot.pk])).json()
    answer = rosa_client.get(case["masks"][0]["address"])
    pixels = np.asarray(PIL.Image.open(io.BytesIO(answer.content)))
    assert pixels.shape == (32, 32)
    assert set(np.unique(pixels)) == {0, 255}
    assert pixels[8, 8] == 255
    assert pixels[7, 8] == pixels[8, 7] == 0


def test_every_kind_of_mask_has_a_name_and_an_address(rosa: User, rosa_client: Client) -> None:
    slot = room_of(rosa, synthetic(1), synthetic(2), mask=mask_blob())[0]
    opacity = mask_blob(size=(64, 64))
    for kind in ("opacity", "rib_fracture"):
        CaseMask.objects.create(case=slot.case, kind=kind, blob=opacity)
    masks = rosa_client.get(reverse("api:slot", args=[slot.pk])).json()["masks"]
    assert [(mask["kind"], mask["label"]) for mask in masks] == [
        ("lungs", "lungs"),
        ("rib_fracture", "rib fracture"),
        ("opacity", "opacity"),
    ]
    assert {rosa_client.get(mask["address"]).status_code for mask in masks} == {200}
    unknown = reverse("readings:mask", args=[slot.pk, "heart"])
    assert rosa_client.get(unknown).status_code == 404


def test_16_bits_are_served_as_8(rosa: User, rosa_client: Client) -> None:
    image = store_image(png(1, mode="I;16", high=4_096), name="wide.png")
    slot = room_of(rosa, image)[0]
    assert picture_of(rosa_client, slot).dtype == np.uint8


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_a_damaged_file_is_named_as_such_without_naming_it(
    rosa: User, rosa_client: Client, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    image = synthetic(77_000 + len(damage))
    slot = room_of(rosa, image)[0]
    file = file_of(image)
    file.chmod(0o644)
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-20])
    answer = rosa_client.get(reverse("readings:picture", args=[slot.pk, 0]))
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "damaged"
    assert image.blob_id not in answer.content.decode()
    assert image.blob_id in caplog.text
    assert answer["Cache-Control"] == "private, no-store"


def test_a_case_with_a_damaged_picture_can_still_be_skipped(
    rosa: User, rosa_client: Client
) -> None:
    image = synthetic(78_000)
    slot = room_of(rosa, image)[0]
    file_of(image).unlink()
    assert rosa_client.get(reverse("api:slot", args=[slot.pk])).status_code == 200
    assert read(slot, scores=[], skip_reason="technical").is_skipped


def test_the_cache_keeps_the_latest_within_its_bytes() -> None:
    cache = PictureCache(10)
    cache.put("a", b"1234")
    cache.put("b", b"1234")
    assert cache.get("a") == b"1234"
    cache.put("c", b"1234")
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (b"1234", None, b"1234")
    cache.put("too large", b"x" * 11)
    assert cache.get("too large") is None

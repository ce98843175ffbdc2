"""Can the time of a first fetch tell a real radiograph from a candidate?

A study of large JPEG radiographs and of candidates as they are stored is opened; each picture
is fetched once through the web code with nothing cached, in mixed order. The figure is the area
under the ROC curve of "slower means real", above or below a half: 0.5 is no better than a coin.
The baseline is the same study whose pictures were not rendered ahead.
"""

import io
import os
import random
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING
from unittest.mock import patch

import django
import numpy as np
import PIL.Image

from benchmarks.rows import Row

if TYPE_CHECKING:
    from django.test import Client

    from feedback_app.images.models import Image
    from feedback_app.studies.models import Slot

RADIOGRAPH_PX, CANDIDATE_PX = 2_048, 512
EACH = 60
"""Pictures of each kind."""


def run() -> list[Row]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback_app.settings")
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    ahead, not_ahead = _areas()
    return [
        Row(
            name="first_fetch_auc",
            value=round(ahead, 3),
            unit="AUC",
            baseline=round(not_ahead, 3),
            ratio=round(ahead / not_ahead, 3),
        )
    ]


def _areas() -> tuple[float, float]:
    from django.core.files.storage import default_storage
    from django.test import Client

    from feedback_app.accounts.models import Role, User
    from feedback_app.readings.framing import display_size_of
    from feedback_app.readings.pictures import keep_rendered, rendered_name
    from feedback_app.readings.rendering import images_of
    from tests.readings.rooms import assign, make_room

    reader = User.objects.create_user("reader", role=Role.READER)
    study = make_room("rate", reader, cases=[[image] for image in _images()])
    slots = assign(study, reader)
    client = Client(headers={"host": "localhost"})
    client.force_login(reader)
    size = display_size_of(study)
    not_ahead = _area(client, slots)
    for image in images_of(study):
        keep_rendered(image, size)
        assert default_storage.exists(rendered_name(image, size))
    return _area(client, slots), not_ahead


def _images() -> "list[Image]":
    from feedback_app.images.blobs.services import store_image
    from tests.readings.rooms import synthetic

    generator = np.random.default_rng(0)
    radiographs = []
    for number in range(EACH):
        shapes = PIL.Image.fromarray(generator.integers(0, 256, (64, 64), dtype=np.uint8))
        file = io.BytesIO()
        large = shapes.resize((RADIOGRAPH_PX, RADIOGRAPH_PX), PIL.Image.Resampling.BICUBIC)
        large.save(file, "JPEG", quality=90)
        radiographs.append(store_image(file.getvalue(), name=f"radiograph {number}"))
    side = (CANDIDATE_PX, CANDIDATE_PX)
    return [*radiographs, *(synthetic(number, size=side) for number in range(EACH))]


def _area(client: "Client", slots: "Sequence[Slot]") -> float:
    """Fetches each picture with nothing cached; one more fetch before warms the code."""
    from django.urls import reverse
    from sklearn.metrics import roc_auc_score

    from feedback_app.readings import pictures

    order = list(slots)
    random.Random(0).shuffle(order)
    seconds, is_real = [], []
    with patch.object(pictures, "_cache", pictures.PictureCache(0)):
        for slot in [order[0], *order]:
            address = reverse("readings:picture", args=[slot.pk, 0])
            started = time.perf_counter()
            answer = client.get(address)
            seconds.append(time.perf_counter() - started)
            assert answer.status_code == 200
            is_real.append(not hasattr(slot.case.images.get(), "candidate"))
    area = float(roc_auc_score(is_real[1:], seconds[1:]))
    return max(area, 1 - area)

"""A pool of many cases in the database, written by SQL: by objects it would take minutes."""

import io
from collections.abc import Sequence

import numpy as np
import PIL.Image
from django.db import connection

from feedback_app.accounts.models import User
from feedback_app.images.blobs.services import store_image
from feedback_app.images.models import Scorer, ScorerKind
from feedback_app.studies.models import (
    ActiveOrder,
    Allocation,
    CaseOrder,
    Study,
    StudyReader,
    StudyState,
)
from feedback_app.studies.services import create_study

IMAGES = 16
SIDE = 128
"""Small pictures: this is about claims, not about decoding."""


def write_people(count: int, *, prefix: str = "reader") -> list[User]:
    return User.objects.bulk_create(User(username=f"{prefix}-{n}") for n in range(count))


def write_pool(
    people: Sequence[User], *, cases: int, overlap: int, is_active: bool = False, name: str = ""
) -> Study:
    """Returns an open study of ``cases`` x ``overlap`` free slots, each case with a value of
    its own.
    """
    name = name or ("Benchmark of draws" if is_active else "Benchmark of claims")
    study = create_study(name=name, mode="rate", shuffle_seed=1)
    StudyReader.objects.bulk_create(StudyReader(study=study, reader=reader) for reader in people)
    for number in range(IMAGES):
        store_image(_png(number), name=f"{number}.png")
    with connection.cursor() as cursor:
        cursor.execute(_CASES, {"study": study.pk, "cases": cases})
        cursor.execute(_CASE_IMAGES, {"study": study.pk, "images": IMAGES})
        cursor.execute("SELECT setseed(0.5)")
        cursor.execute(_SLOTS, {"study": study.pk, "overlap": overlap})
        for table in ("studies_case", "studies_caseimage", "studies_slot"):
            cursor.execute(f"ANALYZE {table}")
    Study.objects.filter(pk=study.pk).update(
        state=StudyState.OPEN, allocation=Allocation.POOL, readers_per_case=overlap
    )
    if is_active:
        _draw_by_value(study, seats=cases * overlap)
    study.refresh_from_db()
    return study


def _draw_by_value(study: Study, *, seats: int) -> None:
    model = Scorer.objects.create(
        name="Benchmark", kind=ScorerKind.REWARD_MODEL, location="-", sha256="0" * 64
    )
    ActiveOrder.objects.create(study=study, reward_model=model)
    Study.objects.filter(pk=study.pk).update(
        case_order=CaseOrder.ACTIVE, reward_model=model, seat_count=seats
    )


def _png(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


_CASES = """
    INSERT INTO studies_case (id, study_id, position, role, prompt)
    SELECT gen_random_uuid(), %(study)s, number, 'ordinary', 'small left effusion'
    FROM generate_series(0, %(cases)s - 1) AS number
"""
_CASE_IMAGES = """
    INSERT INTO studies_caseimage (case_id, image_id, position)
    SELECT studies_case.id, picture.id, 0
    FROM studies_case
    JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS number FROM images_image) AS picture
    ON picture.number = studies_case.position %% %(images)s
    WHERE study_id = %(study)s
"""
_SLOTS = """
    INSERT INTO studies_slot
        (id, study_id, case_id, position, repetition, phase, image_order, priority, seat, value)
    SELECT gen_random_uuid(), study_id, id, row_number() OVER (ORDER BY random()) - 1,
           0, '', '{0}', 0, seat, (hashtext(id::text) & 65535) / 65536.0 * 0.25
    FROM studies_case, generate_series(0, %(overlap)s - 1) AS seat
    WHERE study_id = %(study)s
"""

"""A study of many cases that many readers have read, written by SQL."""

from typing import Any

from django.db import connection

from benchmarks.pool import write_people, write_pool
from feedback_app.studies.models import Allocation, Study


def write_read_study(*, cases: int, readers: int, name: str) -> Study:
    """Returns an open study in which everybody read everything, with a score on each of two
    criteria.

    Scores are those of a quality of the case, give or take one.
    """
    people = write_people(readers, prefix=name)
    study = write_pool(people, cases=cases, overlap=0, name=name)
    names: dict[str, Any] = {"study": study.pk, "readers": readers}
    with connection.cursor() as cursor:
        for part in (_SLOTS, _READINGS, _SCORES):
            cursor.execute(part, names)
        for table in ("studies_slot", "readings_reading", "readings_score"):
            cursor.execute(f"ANALYZE {table}")
    Study.objects.filter(pk=study.pk).update(allocation=Allocation.ASSIGNED)
    study.refresh_from_db()
    return study


_SLOTS = """
    INSERT INTO studies_slot
        (id, study_id, case_id, reader_id, position, repetition, phase, image_order, priority)
    SELECT gen_random_uuid(), place.study_id, of_study.id, place.reader_id, of_study.position,
           0, '', '{0}', 0
    FROM studies_studyreader AS place
    JOIN studies_case AS of_study USING (study_id)
    WHERE study_id = %(study)s
"""
_READINGS = """
    INSERT INTO readings_reading
        (id, slot_id, reader_id, revision, idempotency_key, is_simulated, skip_reason,
         none_acceptable, comment, active_ms, display, created_at)
    SELECT gen_random_uuid(), id, reader_id, 1, gen_random_uuid(), false, '',
           false, '', 4000 + position %% 9000, '{}',
           now() - (position * %(readers)s + reader_id) * interval '1 second'
    FROM studies_slot WHERE study_id = %(study)s
"""
_SCORES = """
    INSERT INTO readings_score (reading_id, image_id, criterion_id, value)
    SELECT reading.id, place.image_id, criterion.id, greatest(0, least(5,
        abs(hashtext(slot.case_id::text)) %% 6 + abs(hashtext(reading.id::text)) %% 3 - 1
    ))
    FROM readings_reading AS reading
    JOIN studies_slot AS slot ON slot.id = reading.slot_id
    JOIN studies_caseimage AS place ON place.case_id = slot.case_id
    JOIN studies_criterion AS criterion ON criterion.study_id = slot.study_id
    WHERE slot.study_id = %(study)s
"""

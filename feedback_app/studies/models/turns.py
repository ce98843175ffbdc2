"""What every turn asks, in SQL: the ORM takes ten times as long to put such a
question as the database to answer it, and many readers come at once.

Parameters: ``study``, ``reader``, and as each query names them. Slots come with all that the
reading page shows of them, as ``SlotQuerySet.with_page`` gives it; what that shows is spelled here
again (``_PAGE``).
"""

# ruff: noqa: S608  Queries are made of constants alone; what varies is a parameter.

_PAGE = """
    slot.*,
    (SELECT prompt FROM studies_case WHERE id = slot.case_id) AS prompt,
    ARRAY(SELECT kind FROM studies_casemask WHERE case_id = slot.case_id) AS mask_kinds,
    EXISTS(SELECT FROM readings_bookmark WHERE slot_id = slot.id) AS is_bookmarked
"""
_GIVEN = """
    FROM studies_slot AS slot JOIN studies_study AS study ON study.id = slot.study_id
    WHERE slot.id = %(slot)s AND slot.reader_id = %(reader)s AND study.state <> 'draft'
"""
GIVEN = f"SELECT slot.* {_GIVEN}"
GIVEN_LOCKED = f"{GIVEN} FOR UPDATE OF slot"
GIVEN_WITH_PAGE = f"SELECT {_PAGE} {_GIVEN}"
"""A slot that a reader has been given; ``readings.access`` alone asks so."""

STUDY = "SELECT * FROM studies_study WHERE id = %(study)s"

TURN = """
    SELECT FROM studies_studyreader WHERE study_id = %(study)s AND reader_id = %(reader)s
    FOR NO KEY UPDATE
"""
"""The reader's place in the study, locked: their claims are made one after the other."""

_FREE = "slot.study_id = %(study)s AND slot.reader_id IS NULL"
_NEW_TO_THEM = """
    (
        SELECT id FROM studies_slot AS own
        WHERE own.study_id = %(study)s AND own.case_id = slot.case_id
            AND own.reader_id = %(reader)s
        LIMIT 1
    ) IS NULL
"""
"""The scalar subquery of ``readings.lots.new_to``, which says why it is one."""

_OWN_UNREAD = """
    slot.study_id = %(study)s AND slot.reader_id = %(reader)s AND slot.lease_until IS NOT NULL
"""
"""What the reader claimed and has not read, with or without a seat."""

OWN = f"""
    SELECT {_PAGE} FROM studies_slot AS slot
    WHERE {_OWN_UNREAD}
    ORDER BY priority DESC, position
    FOR UPDATE SKIP LOCKED
"""

FIRST_FREE = f"""
    SELECT {_PAGE} FROM studies_slot AS slot
    WHERE {_FREE} AND {_NEW_TO_THEM}
    ORDER BY priority DESC, position
    LIMIT 1
    FOR UPDATE SKIP LOCKED
"""
"""Slots that came free again come first; those that somebody takes just now are passed."""

IS_SOMETHING_LEFT = f"""
    SELECT EXISTS(
        SELECT FROM studies_slot AS slot
        WHERE {_OWN_UNREAD} AND (seat IS NOT NULL OR EXISTS(
            SELECT FROM studies_slot AS same
            WHERE same.case_id = slot.case_id AND same.reader_id IS NULL
        ))
    ) OR EXISTS(SELECT FROM studies_slot AS slot WHERE {_FREE} AND {_NEW_TO_THEM})
"""

OF_HIGHEST_VALUE = f"""
    SELECT {_PAGE}, (
        SELECT count(*) FROM studies_slot AS same
        WHERE same.study_id = %(study)s AND same.case_id = slot.case_id
            AND same.reader_id IS NULL AND same.position < %(seat_count)s
    ) AS seats_of_case
    FROM studies_slot AS slot
    WHERE {_FREE} AND position < %(seat_count)s AND value IS NOT NULL AND {_NEW_TO_THEM}
    ORDER BY seat, value DESC, position
    LIMIT 1
    FOR UPDATE
"""
"""It takes the best of the cases given to fewest readers, and counts its seats, as for a draw."""

FREE_SEATS = f"""
    SELECT
        seat_count,
        (
            SELECT count(*) FROM studies_slot AS own
            JOIN studies_slot AS slot ON slot.case_id = own.case_id
            WHERE own.study_id = %(study)s AND own.reader_id = %(reader)s AND {_FREE}
        ),
        (
            SELECT count(*) FROM studies_case
            JOIN studies_slot AS slot ON slot.case_id = studies_case.id
            WHERE studies_case.study_id = %(study)s AND NOT role = 'ordinary'
                AND {_FREE} AND {_NEW_TO_THEM}
        )
    FROM studies_study WHERE id = %(study)s
"""
"""All seats of an active order, free ones of cases that the reader has, free ones that all read."""

PLACE = """
    WITH slots AS NOT MATERIALIZED (
        SELECT * FROM studies_slot WHERE study_id = %(study)s AND reader_id = %(reader)s
    ), unread AS NOT MATERIALIZED (
        SELECT * FROM slots WHERE lease_until IS NOT NULL AND id <> %(slot)s
    ), earlier AS NOT MATERIALIZED (
        SELECT slot_id, created_at FROM readings_reading JOIN slots ON slot_id = slots.id
        WHERE readings_reading.reader_id = %(reader)s AND revision = 1 AND created_at < COALESCE(
            (SELECT created_at FROM readings_reading WHERE slot_id = %(slot)s AND revision = 1),
            'infinity'
        )
    )
    SELECT
        (SELECT count(*) FROM slots WHERE lease_until IS NULL),
        CASE WHEN %(is_read)s THEN (SELECT count(*) FROM earlier)
             ELSE (SELECT count(*) FROM unread WHERE id = ANY(%(holding)s::uuid[])) END,
        (SELECT id FROM unread WHERE seat IS NOT NULL ORDER BY priority DESC, position LIMIT 1),
        (SELECT slot_id FROM earlier ORDER BY created_at DESC LIMIT 1)
"""
"""How many the reader has read, how many come before ``slot``, and the slots after and before it.

In the order of reading; read slots are those without a lease (see ``claims``).
"""

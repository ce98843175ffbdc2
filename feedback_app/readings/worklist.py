"""Where a reader is: their studies, what is read in them, and what comes next."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from statistics import median
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.readings import claims
from feedback_app.readings.models import Bookmark, Reading, Unmasking
from feedback_app.readings.training import Training, training_of
from feedback_app.studies.models import Allocation, Phase, Slot, Study, StudyState, turns
from feedback_app.studies.models.questions import questions_of
from feedback_app.studies.modes import mode_of
from feedback_app.studies.services.budget import pace_of

PACE_OF = 50
"""The last readings that tell how long a case takes."""
CLOSED_SHOWN = 5
CASES_OF_A_POOL = 10
"""So many stand for a pool's share, which only reading settles."""


@dataclass(frozen=True)
class Place:
    """A place is a slot among the slots of its reader; ``position`` counts from 1.

    A pool has no ``total``: who reads how much of it is settled only by reading.
    """

    position: int
    total: int | None
    read: int
    next: UUID | None
    previous: UUID | None


@dataclass(frozen=True)
class Bookmarked:
    """A slot that its reader wants to find again."""

    slot: UUID
    position: int


@dataclass(frozen=True)
class Assignment:
    """A study as its reader sees it on the work list; of a pool only what they took.

    ``next`` is their first unread slot; in a pool it may be None though ``has_more``: then
    beginning claims one.
    """

    study: Study
    total: int | None
    read: int
    first: UUID | None
    next: UUID | None
    has_more: bool
    shows: str = ""
    """What a case shows, as far as its reader may know yet."""
    asked: str = ""
    minutes: int | None = None
    """What is left takes about so long; in a pool, ten cases."""
    is_own_pace: bool = True
    bookmarks: list[Bookmarked] = field(default_factory=list)
    training: Training | None = None
    adjudication: str = ""
    """How far one is that adjudicates, in words."""

    @property
    def is_late(self) -> bool:
        return self.study.due_on is not None and self.study.due_on < timezone.localdate()

    @property
    def percent(self) -> int:
        return 100 * self.read // self.total if self.total else 0

    @property
    def is_open(self) -> bool:
        return self.study.state == StudyState.OPEN

    @property
    def is_paused(self) -> bool:
        return self.study.state == StudyState.PAUSED

    @property
    def is_pool(self) -> bool:
        return self.study.is_pool

    @property
    def is_to_do(self) -> bool:
        return self.is_open and self.has_more


def place_of(slot: Slot, *, holding: Collection[UUID] = ()) -> Place:
    """``next`` is the first unread slot after this one, from the start again at the end.

    A skipped case is read. In a pool, an unread case comes after those that the reader's page
    is ``holding`` unread.
    """
    if slot.study.is_pool:
        return _place_in_pool(slot, holding=holding)
    rows = _own_slots(slot)
    index = [pk for pk, _ in rows].index(slot.pk)
    ahead_of_it = rows[index + 1 :] + rows[:index]
    return Place(
        position=index + 1,
        total=len(rows),
        read=sum(is_read for _, is_read in rows),
        next=next((pk for pk, is_read in ahead_of_it if not is_read), None),
        previous=rows[index - 1][0] if index else None,
    )


def next_unread(slot: Slot, *, holding: Collection[UUID]) -> UUID | None:
    """Returns the first own slot of an assigned study after this one that waits to be read."""
    rows = _own_slots(slot)
    index = [pk for pk, _ in rows].index(slot.pk)
    candidates = rows[index + 1 :] + rows[: index + 1]
    return next((pk for pk, is_read in candidates if not is_read and pk not in set(holding)), None)


def first_unread(study: Study, reader: User) -> UUID | None:
    """Finds where the reader begins in an assigned study: the first unread slot, or the first."""
    own = Slot.objects.of_reader(reader).filter(study=study).planned()
    first = own.unread().first() or own.first()
    return first.pk if first else None


def assignments_of(reader: User) -> list[Assignment]:
    """Returns the reader's studies: what is left to read first, the newest first.

    Of closed ones these are the last few: all are on the page of their own readings.
    """
    closed = Study.objects.filter(Exists(Slot.objects.filter(study=OuterRef("pk"), reader=reader)))
    last = closed.filter(state=StudyState.CLOSED).order_by("-created_at")[:CLOSED_SHOWN]
    is_shown = ~Q(study__state=StudyState.CLOSED) | Q(
        study__in=list(last.values_list("pk", flat=True))
    )
    slots = (
        Slot.objects.of_reader(reader)
        .planned()
        .filter(is_shown)
        .exclude(study__allocation=Allocation.POOL)
        .select_related("study")
        .order_by("-study__created_at", "study", "-priority", "position")
    )
    of_studies = [list(group) for _, group in groupby(slots, key=lambda slot: slot.study_id)]
    assignments = [_assignment(reader, own) for own in of_studies]
    pools = Study.objects.filter(readers=reader, allocation=Allocation.POOL)
    assignments += [
        _assignment_of_pool(reader, study) for study in pools.exclude(state=StudyState.DRAFT)
    ]
    assignments = [replace(own, training=_training(reader, own.study)) for own in assignments]
    newest_first = sorted(assignments, key=lambda own: own.study.created_at, reverse=True)
    return sorted(newest_first, key=lambda own: not own.is_to_do)


def _training(reader: User, study: Study) -> Training | None:
    return training_of(study, reader.pk) if study.training_count and study.is_open else None


def fingerprint_of(assignments: Sequence[Assignment]) -> str:
    """Tells whether a work list says anything else than before."""
    said = [
        (own.study.pk, own.study.name, own.study.state, own.study.due_on, own.study.instructions,
         own.read, own.total, own.has_more, own.minutes, own.asked, own.training, own.bookmarks)
        for own in assignments
    ]  # fmt: skip
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def _own_slots(slot: Slot) -> list[tuple[UUID, bool]]:
    own = Slot.objects.filter(study=slot.study_id, reader=slot.reader_id).ready()
    own = own.filter(Q(withdrawn_at=None) | Q(pk=slot.pk))
    return list(own.values_list("pk", "is_read"))


def _place_in_pool(slot: Slot, *, holding: Collection[UUID]) -> Place:
    is_read = slot.lease_until is None
    with connection.cursor() as cursor:
        cursor.execute(
            turns.PLACE,
            {
                "study": slot.study_id,
                "reader": slot.reader_id,
                "slot": slot.pk,
                "holding": list(holding),
                "is_read": is_read,
            },
        )
        read, before, following, previous = cursor.fetchone()
    return Place(
        position=(before if is_read else read + before) + 1,
        total=None,
        read=read,
        next=following,
        previous=previous,
    )


def _assignment(reader: User, slots: list[Slot]) -> Assignment:
    unread = [slot.pk for slot in slots if not slot.is_read]
    study = slots[0].study
    numbered = {slot.pk: position for position, slot in enumerate(slots, start=1)}
    marked = _bookmarked(reader, study)
    return Assignment(
        study=study,
        total=len(slots),
        read=len(slots) - len(unread),
        first=slots[0].pk,
        next=unread[0] if unread else None,
        has_more=bool(unread),
        **_said_of(reader, study, cases=len(unread)),
        adjudication=_adjudication_in_words(slots),
        bookmarks=sorted(
            (Bookmarked(slot=pk, position=numbered[pk]) for pk in marked),
            key=lambda bookmark: bookmark.position,
        ),
    )


def _adjudication_in_words(slots: list[Slot]) -> str:
    """Empty for what is no adjudication; the final slots that are not ready yet are not there."""
    blind = [slot for slot in slots if slot.phase == Phase.BLIND]
    if not blind:
        return ""
    final = [slot for slot in slots if slot.phase == Phase.FINAL]
    read, settled = (sum(slot.is_read for slot in part) for part in (blind, final))
    said = f"{read} of {len(blind)} read blind, {settled} settled"
    waiting = len(blind) - len(final)
    others = f"; {waiting} wait for the other adjudicators" if waiting else ""
    return said + others


def _assignment_of_pool(reader: User, study: Study) -> Assignment:
    own = Slot.objects.filter(study=study, reader=reader)
    leased = own.filter(lease_until__isnull=False, seat__isnull=False)
    first = Reading.objects.filter(reader=reader, slot__study=study).order_by("created_at").first()
    return Assignment(
        study=study,
        total=None,
        read=own.filter(lease_until__isnull=True).count(),
        first=first.slot_id if first else None,
        next=leased.values_list("pk", flat=True).first(),
        has_more=study.is_open and claims.is_something_left(study, reader),
        **_said_of(reader, study, cases=CASES_OF_A_POOL),
        bookmarks=[
            Bookmarked(slot=slot.pk, position=place_of(slot).position)
            for slot in own.filter(pk__in=_bookmarked(reader, study)).select_related("study")
        ],
    )


def _bookmarked(reader: User, study: Study) -> list[UUID]:
    marks = Bookmark.objects.filter(slot__study=study, slot__reader=reader)
    return list(marks.order_by("created_at").values_list("slot", flat=True))


def _said_of(reader: User, study: Study, *, cases: int) -> dict[str, Any]:
    """Returns what is asked and how long so many cases take, at the reader's own pace or at
    others'.
    """
    mode = mode_of(study.mode)
    is_told = Unmasking.objects.filter(study=study, reader=reader).exists()
    phase = mode.phases(study)[-1 if is_told else 0]
    kind = mode.asked_in(phase)
    asked = [one.name for one in questions_of(study).criteria if kind in (None, one.kind)]
    own_s = _own_pace_s(reader, study)
    pace_s = own_s or pace_of(study.mode, images_per_case=study.images_per_case).seconds
    return {
        "shows": mode_of(mode.shown_as(phase)).describe(study),
        "asked": ", ".join(asked),
        "minutes": max(1, round(cases * pace_s / 60)) if cases else None,
        "is_own_pace": own_s is not None,
    }


def _own_pace_s(reader: User, study: Study) -> float | None:
    """Returns the reader's own median time for a case of the study; None before the first
    reading.
    """
    times = Reading.objects.filter(reader=reader, slot__study=study).values_list(
        "active_ms", flat=True
    )
    last = [ms for ms in times.order_by("-created_at")[:PACE_OF] if ms]
    return median(last) / 1_000 if last else None

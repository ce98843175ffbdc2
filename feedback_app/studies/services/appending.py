"""New cases behind all that readers have, with as many hidden repeats as the design says."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from django.db.models import Max

from feedback_app.accounts.models import User
from feedback_app.studies.models import Slot, Study
from feedback_app.studies.services.opening import CaseFact, blocks_of, reader_slots
from feedback_app.studies.services.ordering import another_order, can_repeat, repeat_count
from feedback_app.studies.services.writing import (
    PlannedSlot,
    Report,
    after,
    tell_nobody,
    write_slots,
)


@dataclass(frozen=True)
class Course:
    """A reader's slots so far: where they end, their cases, and those that never come again.

    Only the end where the study has no repeats.
    """

    end: int
    cases: int
    repeated: int
    single: tuple[PlannedSlot, ...]

    @classmethod
    def of(cls, study: Study, reader: User) -> "Course":
        slots = Slot.objects.filter(study=study, reader=reader).order_by("position")
        if not study.repeat_percent:
            last = slots.aggregate(last=Max("position"))["last"]
            return cls(end=0 if last is None else last + 1, cases=0, repeated=0, single=())
        rows = list(slots.values_list("case", "position", "repetition", "image_order"))
        again = {case for case, _, repetition, _ in rows if repetition}
        return cls(
            end=rows[-1][1] + 1 if rows else 0,
            cases=len(rows) - len(again),
            repeated=len(again),
            single=tuple(
                PlannedSlot(study.pk, case, position, order, reader=reader.pk)
                for case, position, _, order in rows
                if case not in again
            ),
        )


def append_cases(
    study: Study,
    facts: Sequence[CaseFact],
    *,
    readers: Sequence[User],
    report: Report = tell_nobody,
) -> int:
    """Deal the cases out, each reader's in an order of its own; how many repeats are missing.

    Of all that a reader then has, the design's share comes twice. New cases are repeated
    where the gap can be held among them, and otherwise cases that they have already.
    """
    courses = [Course.of(study, reader) for reader in readers]
    ends = [course.end for course in courses]
    rng = Random(f"{study.shuffle_seed}:from {max(ends)}")
    blocks = blocks_of(study, facts, reader_count=len(readers), rng=rng, loads=ends)
    written = missing = 0
    for number, (reader, course) in enumerate(zip(readers, courses, strict=True)):
        own = [fact for fact, block in zip(facts, blocks, strict=True) if number in block]
        wanted = repeat_count(course.cases + len(own), percent=study.repeat_percent)
        due = max(0, wanted - course.repeated) if own else 0
        among_new = due if can_repeat(len(own), min_gap=study.repeat_min_gap) else 0
        new = list(reader_slots(study, own, reader=reader, rng=rng, repeats=among_new))
        slots = _with_earlier(
            new, course, count=due - among_new, min_gap=study.repeat_min_gap, rng=rng
        )
        missing += len(new) + due - among_new - len(slots)
        written += write_slots(
            (slot._replace(position=course.end + place) for place, slot in enumerate(slots)),
            report=after(written, report),
        )
    return missing


def _with_earlier(
    slots: Sequence[PlannedSlot], course: Course, *, count: int, min_gap: int, rng: Random
) -> list[PlannedSlot]:
    """Returns the slots with up to ``count`` earlier cases among them, each far enough from its
    first.
    """
    usable = [slot for slot in course.single if course.end + len(slots) - slot.position >= min_gap]
    shown = list(slots)
    for first in rng.sample(usable, min(count, len(usable))):
        earliest = max(0, min_gap - (course.end - first.position))
        again = first._replace(repetition=1, image_order=another_order(first.image_order, rng=rng))
        shown.insert(rng.randint(earliest, len(shown)), again)
    return shown

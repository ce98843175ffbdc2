"""Who reads which case, in which order: written out once, from a stored seed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from random import Random
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from feedback_app.accounts import audit
from feedback_app.accounts.models import User
from feedback_app.studies.models import (
    ActiveOrder,
    Case,
    CaseImage,
    CaseRole,
    Study,
    StudyState,
)
from feedback_app.studies.modes import mode_of
from feedback_app.studies.services.active import begin_order, values_of
from feedback_app.studies.services.assignment import assign_readers
from feedback_app.studies.services.design import lock
from feedback_app.studies.services.drafts import settle_waiting
from feedback_app.studies.services.ordering import (
    Shown,
    another_order,
    balanced_sides,
    in_blocks,
    repeat_count,
    require_gap,
    with_repeats,
)
from feedback_app.studies.services.preparing import prepare
from feedback_app.studies.services.requirements import require_openable
from feedback_app.studies.services.telling import tell_waiting
from feedback_app.studies.services.writing import PlannedSlot, Report, tell_nobody, write_slots

REAL = "real"


@dataclass(frozen=True, slots=True)
class CaseFact:
    """What planning needs of a case; ``stratum`` is where its images are from."""

    pk: UUID
    images: int
    stratum: str
    is_shared: bool


@transaction.atomic
def open_study(study: Study, *, actor: User | None = None) -> Study:
    """Write out all slots and let the readers read."""
    study = lock(study)
    open_locked(study, actor=actor)
    return study


def open_locked(study: Study, *, actor: User | None, report: Report = tell_nobody) -> int:
    """Opens a study that the caller holds, and returns how many slots were written."""
    settle_waiting(study)
    readers = require_openable(study)
    report(0, "Planning who reads what")
    draw_anchors(study)
    facts = facts_of(study)
    values = case_values(study)
    if study.is_pool:
        slots = pool_slots(study, facts=facts, readers=readers, values=values)
    else:
        slots = assigned_slots(study, facts=facts, readers=readers)
    count = write_slots(slots, report=report)
    if study.is_active:
        begin_order(study, seats=count, values=values.values())
    prepare(study, report)
    study.state = StudyState.OPEN
    study.opened_at = timezone.now()
    study.save(update_fields=["state", "opened_at", "seat_count"])
    audit.record(
        "study.opened",
        actor=actor,
        target=study.name,
        target_id=study.pk,
        details={"cases": len(facts), "readers": len(readers), "slots": count},
    )
    tell_waiting(study, readers)
    return count


def planned_slots(study: Study, *, reader: User) -> Iterator[PlannedSlot]:
    """Plans a draft's slots as opening it would; nothing is stored.

    ``reader`` stands in for readers where none, or too few, are chosen yet.
    """
    readers = list(study.readers.order_by("pk"))
    readers += [reader] * max(1 - len(readers), study.readers_per_case - len(readers))
    facts = facts_of(study)
    shared = _anchors_to_draw(study, facts)
    facts = [replace(fact, is_shared=fact.is_shared or fact.pk in shared) for fact in facts]
    if study.is_pool:
        return pool_slots(study, facts=facts, readers=readers, values=case_values(study))
    return assigned_slots(study, facts=facts, readers=readers)


def facts_of(study: Study, *, first_position: int = 0) -> list[CaseFact]:
    """Returns the cases' facts in the order of positions, from ``first_position`` on."""
    places = CaseImage.objects.filter(case__study=study, case__position__gte=first_position)
    values = places.order_by("case__position", "position").values_list(
        "case", "case__role", "image__candidate__recipe__model_version", "image__cohort_image"
    )
    facts = []
    for (pk, role), images in groupby(values.iterator(), key=lambda row: row[:2]):
        sources = [REAL if real else str(version) for _, _, version, real in images]
        facts.append(CaseFact(pk, len(sources), "+".join(sources), role != CaseRole.ORDINARY))
    return facts


def case_values(study: Study, *, first_position: int = 0) -> dict[UUID, float | None]:
    """Values an active order's cases from a position on by the reward model in use."""
    if not study.is_active:
        return {}
    order = ActiveOrder.objects.filter(study=study).select_related("reward_model").first()
    reward_model = order.reward_model if order else study.reward_model
    assert reward_model is not None
    places = CaseImage.objects.filter(case__study=study, case__position__gte=first_position)
    return values_of(places, reward_model)


def draw_anchors(study: Study) -> None:
    """Make up the number of anchors that is wanted, a like mixture of all sources."""
    drawn = _anchors_to_draw(study, facts_of(study))
    Case.objects.filter(pk__in=drawn).update(role=CaseRole.ANCHOR)


def _anchors_to_draw(study: Study, facts: Sequence[CaseFact]) -> set[UUID]:
    lacking = study.anchor_count - study.cases.filter(role=CaseRole.ANCHOR).count()
    if lacking <= 0:
        return set()
    ordinary = [fact for fact in facts if not fact.is_shared]
    drawn = in_blocks(
        ordinary,
        strata=[fact.stratum for fact in ordinary],
        block_size=lacking,
        rng=Random(f"{study.shuffle_seed}:anchors"),
    )[:lacking]
    return {fact.pk for fact in drawn}


def blocks_of(
    study: Study,
    facts: Sequence[CaseFact],
    *,
    reader_count: int,
    rng: Random,
    loads: Sequence[int] | None = None,
) -> list[list[int]]:
    """Reader numbers for each case, in the order of ``facts``; shared cases go to all.

    Cases of one source are dealt out together, so that every reader gets as many of each.
    """
    ordinary = [number for number, fact in enumerate(facts) if not fact.is_shared]
    ordinary.sort(key=lambda number: facts[number].stratum)
    dealt = assign_readers(
        len(ordinary), reader_count, per_case=study.readers_per_case, rng=rng, loads=loads
    )
    blocks = [list(range(reader_count)) for _ in facts]
    for number, block in zip(ordinary, dealt, strict=True):
        blocks[number] = block
    return blocks


def assigned_slots(
    study: Study, *, facts: Sequence[CaseFact], readers: Sequence[User]
) -> Iterator[PlannedSlot]:
    rng = Random(study.shuffle_seed)
    own: list[list[CaseFact]] = [[] for _ in readers]
    blocks = blocks_of(study, facts, reader_count=len(readers), rng=rng)
    for fact, block in zip(facts, blocks, strict=True):
        for number in block:
            own[number].append(fact)
    for cases in own:
        require_gap(len(cases), percent=study.repeat_percent, min_gap=study.repeat_min_gap)
    for reader, cases in zip(readers, own, strict=True):
        yield from reader_slots(study, cases, reader=reader, rng=rng)


def reader_slots(
    study: Study,
    cases: Sequence[CaseFact],
    *,
    reader: User,
    rng: Random,
    first_position: int = 0,
    repeats: int | None = None,
) -> Iterator[PlannedSlot]:
    """Yields a reader's whole sequence: phase after phase, each in an order of its own.

    ``repeats`` cases come twice; as many as the design says where it is None.
    """
    count = repeats
    if count is None:
        count = repeat_count(len(cases), percent=study.repeat_percent)
    position = first_position
    for phase in mode_of(study.mode).phases(study):
        order = in_blocks(
            range(len(cases)),
            strata=[case.stratum for case in cases],
            block_size=study.block_size,
            rng=rng,
        )
        sequence = with_repeats(order, count=count, min_gap=study.repeat_min_gap, rng=rng)
        image_orders = _image_orders(sequence, cases, rng=rng)
        for shown, image_order in zip(sequence, image_orders, strict=True):
            yield PlannedSlot(
                study=study.pk,
                case=cases[shown.case].pk,
                reader=reader.pk,
                position=position,
                repetition=shown.repetition,
                phase=phase,
                image_order=image_order,
            )
            position += 1


def _image_orders(
    sequence: Sequence[Shown], cases: Sequence[CaseFact], *, rng: Random
) -> list[list[int]]:
    """Returns each of two images is on the left in half of the cases; a repeat is in another
    order.
    """
    firsts = [shown.case for shown in sequence if not shown.repetition]
    pairs = [number for number in firsts if cases[number].images == 2]
    order_of = dict(zip(pairs, balanced_sides(len(pairs), rng=rng), strict=True))
    for number in firsts:
        count = cases[number].images
        if count != 2:
            order_of[number] = rng.sample(range(count), count)
    return [
        another_order(order_of[shown.case], rng=rng) if shown.repetition else order_of[shown.case]
        for shown in sequence
    ]


def pool_slots(
    study: Study,
    *,
    facts: Sequence[CaseFact],
    readers: Sequence[User],
    first_position: int = 0,
    values: Mapping[UUID, float | None] | None = None,
) -> Iterator[PlannedSlot]:
    """Free slots: every case once, then every case again, and shared cases scattered among them.

    A case has a seat for each reading that is wanted of it, shared cases one for each
    reader. Seats of a case lie far apart, so that who claims next rarely meets their own.
    """
    rng = Random(f"{study.shuffle_seed}:pool from {first_position}")
    strata = [fact.stratum for fact in facts]
    seats: list[tuple[float, int, int]] = []
    for seat in range(study.readers_per_case):
        order = in_blocks(range(len(facts)), strata=strata, block_size=study.block_size, rng=rng)
        start = len(seats)
        seats += [(start + place, case, seat) for place, case in enumerate(order)]
    end = len(seats)
    for case, fact in enumerate(facts):
        if fact.is_shared:
            further = range(study.readers_per_case, len(readers))
            seats += [(rng.uniform(0, end), case, seat) for seat in further]
    sides = rng.choices([0, 1], k=len(facts))
    for position, (_, case, seat) in enumerate(sorted(seats), start=first_position):
        yield PlannedSlot(
            study=study.pk,
            case=facts[case].pk,
            position=position,
            seat=seat,
            image_order=_pool_order(facts[case].images, seat=seat + sides[case], rng=rng),
            value=(values or {}).get(facts[case].pk),
        )


def _pool_order(count: int, *, seat: int, rng: Random) -> list[int]:
    """Readers of neighbouring seats see two images on opposite sides."""
    if count == 2:
        return [1, 0] if seat % 2 else [0, 1]
    return rng.sample(range(count), count)

"""Changing a study that is open: more readers, more candidates. No stored order changes."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from feedback_app.accounts import audit
from feedback_app.accounts.models import User
from feedback_app.images.models import Batch
from feedback_app.studies.models import Slot, Study, StudyReader, StudyState
from feedback_app.studies.modes import mode_of
from feedback_app.studies.planning import CasesAdded
from feedback_app.studies.services.appending import append_cases
from feedback_app.studies.services.assignment import Blocks, Pairs, pairs_of, top_up
from feedback_app.studies.services.cases import plan_for, write_cases
from feedback_app.studies.services.design import lock
from feedback_app.studies.services.drafts import settle_waiting
from feedback_app.studies.services.opening import (
    CaseFact,
    case_values,
    facts_of,
    pool_slots,
    reader_slots,
)
from feedback_app.studies.services.ordering import require_gap
from feedback_app.studies.services.preparing import prepare
from feedback_app.studies.services.requirements import require_alike, require_enough
from feedback_app.studies.services.telling import tell_waiting
from feedback_app.studies.services.writing import PlannedSlot, Report, tell_nobody, write_slots
from generation.errors import RemediableError


@transaction.atomic
def add_readers(study: Study, readers: Iterable[User], *, actor: User | None = None) -> list[User]:
    """Let more people read an open study; who is in it already is left out.

    Newcomers read all shared cases and about as many others as the readers before them,
    chosen so that they share cases with everybody.
    """
    study = lock(study)
    require_running(study)
    known = _in_joining_order(study)
    newcomers = sorted(set(readers) - set(known), key=lambda reader: reader.pk)
    if not newcomers:
        raise RemediableError("Nobody new was chosen.", remedy="Choose who shall read too.")
    require_alike([*(reader for reader in known if reader.is_active), *newcomers])
    facts = facts_of(study)
    if study.is_pool:
        seats = _further_seats(study, facts, reader_count=len(known) + len(newcomers))
        _count_seats(study, write_slots(seats))
    else:
        _assign_newcomers(study, facts, known=known, newcomers=newcomers)
    study.readers.add(*newcomers)
    audit.record(
        "study.readers_added",
        actor=actor,
        target=study.name,
        target_id=study.pk,
        details={"readers": [reader.username for reader in newcomers]},
    )
    if study.state == StudyState.OPEN:
        tell_waiting(study, newcomers)
    return newcomers


@transaction.atomic
def add_batches(
    study: Study,
    batches: Iterable[Batch],
    *,
    against: Batch | None = None,
    actor: User | None = None,
) -> CasesAdded:
    """Append the cases that further candidates give, after all that readers have now."""
    return add_locked(lock(study), list(batches), against=against, actor=actor)


def add_locked(
    study: Study,
    batches: Sequence[Batch],
    *,
    against: Batch | None,
    actor: User | None,
    report: Report = tell_nobody,
) -> CasesAdded:
    """Appends them to a study that the caller holds."""
    require_growable(study)
    readers = [reader for reader in _in_joining_order(study) if reader.is_active]
    require_enough(study, readers=readers)
    report(0, "Planning the cases")
    plan = plan_for(study, batches, against=against)
    cases = write_cases(study, plan)
    settle_waiting(study)
    facts = facts_of(study, first_position=cases[0].position) if cases else []
    added = plan.added
    if study.is_pool:
        values = case_values(study, first_position=cases[0].position) if cases else {}
        slots = pool_slots(
            study,
            facts=facts,
            readers=readers,
            first_position=_next_position(study),
            values=values,
        )
        _count_seats(study, write_slots(slots, report=report))
    elif facts:
        missing = append_cases(study, facts, readers=readers, report=report)
        added = replace(added, repeats_missing=missing)
    prepare(study, report)
    audit.record(
        "study.cases_added",
        actor=actor,
        target=study.name,
        target_id=study.pk,
        details={"batches": [str(batch) for batch in batches], "cases": added.cases},
    )
    return added


def require_growable(study: Study) -> None:
    require_running(study)
    if refusal := mode_of(study.mode).refusal_of_more(study):
        raise RemediableError(refusal, remedy="Design a new study.")


def require_running(study: Study) -> None:
    if hasattr(study, "adjudicates"):
        raise RemediableError(
            f"“{study.name}” is a round of adjudication, whose readers and cases stay as they are.",
            remedy="Send cases to adjudication once more.",
        )
    if study.state not in {StudyState.OPEN, StudyState.PAUSED}:
        raise RemediableError(
            f"The study “{study.name}” is {study.state}.",
            remedy="Edit the draft instead." if study.is_draft else "Reopen it first.",
        )


def _in_joining_order(study: Study) -> list[User]:
    places = StudyReader.objects.filter(study=study).select_related("reader").order_by("pk")
    return [place.reader for place in places]


def _assign_newcomers(
    study: Study, facts: Sequence[CaseFact], *, known: Sequence[User], newcomers: Sequence[User]
) -> None:
    blocks = _stored_blocks(study, facts, readers=known)
    ordinary = [number for number, fact in enumerate(facts) if not fact.is_shared]
    shared: Pairs = Counter(pair for block in blocks for pair in pairs_of(block))
    assigned = sum(len(blocks[number]) for number in ordinary)
    wanted = round(assigned / len(known)) if known else len(ordinary)
    for newcomer, reader in enumerate(newcomers, start=len(known)):
        rng = Random(f"{study.shuffle_seed}:reader {newcomer}")
        own = [number for number, fact in enumerate(facts) if fact.is_shared]
        for number in own:
            shared.update((other, newcomer) for other in blocks[number])
        taken = top_up(
            [blocks[number] for number in ordinary],
            newcomer=newcomer,
            wanted=wanted,
            shared=shared,
            rng=rng,
        )
        own += [ordinary[place] for place in taken]
        for number in own:
            blocks[number].append(newcomer)
        require_gap(len(own), percent=study.repeat_percent, min_gap=study.repeat_min_gap)
        cases = [facts[number] for number in sorted(own)]
        write_slots(reader_slots(study, cases, reader=reader, rng=rng))


def _stored_blocks(study: Study, facts: Sequence[CaseFact], *, readers: Sequence[User]) -> Blocks:
    """Who reads each case now, by the readers' numbers."""
    number_of = {reader.pk: number for number, reader in enumerate(readers)}
    of_case: dict[UUID, set[int]] = {fact.pk: set() for fact in facts}
    planned = Slot.objects.filter(study=study, reader__in=number_of).order_by()
    for case, reader in planned.values_list("case", "reader").iterator():
        of_case[case].add(number_of[reader])
    return [sorted(of_case[fact.pk]) for fact in facts]


def _further_seats(
    study: Study, facts: Sequence[CaseFact], *, reader_count: int
) -> Iterable[PlannedSlot]:
    """Gives each newcomer to a pool a seat at every shared case, behind all others."""
    shared = [fact for fact in facts if fact.is_shared]
    taken = dict(
        Slot.objects.filter(study=study, case__in=[fact.pk for fact in shared], seat__isnull=False)
        .order_by()
        .values("case")
        .annotate(last=Max("seat"))
        .values_list("case", "last")
    )
    rng = Random(f"{study.shuffle_seed}:seats up to {reader_count}")
    position = _next_position(study)
    for fact in rng.sample(shared, len(shared)):
        for seat in range(taken[fact.pk] + 1, reader_count):
            yield PlannedSlot(
                study=study.pk,
                case=fact.pk,
                position=position,
                seat=seat,
                image_order=rng.sample(range(fact.images), fact.images),
            )
            position += 1


def _count_seats(study: Study, added: int) -> None:
    """On the study's row, which readers' draws read without waiting for who holds it."""
    if study.is_active:
        study.seat_count += added
        study.save(update_fields=["seat_count"])


def _next_position(study: Study) -> int:
    last = study.slots.aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1

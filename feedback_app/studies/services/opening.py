"""Who reads which case, in which order: written out once, from a stored seed."""

from collections import Counter
from collections.abc import Sequence
from itertools import permutations
from random import Random

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.studies.models import Case, Slot, Study, StudyState
from feedback_app.studies.services.design import require_draft
from generation.errors import RemediableError


@transaction.atomic
def open_study(study: Study) -> Study:
    """Write out the slots of every reader and let them read."""
    study = Study.objects.select_for_update().get(pk=study.pk)
    require_draft(study)
    readers = list(study.readers.order_by("pk"))
    cases = list(study.cases.annotate(image_count=Count("case_images")).order_by("position"))
    _require_readable(study, cases=cases, readers=readers)
    Slot.objects.bulk_create(_slots(study, cases=cases, readers=readers))
    study.state = StudyState.OPEN
    study.opened_at = timezone.now()
    study.save(update_fields=["state", "opened_at"])
    return study


@transaction.atomic
def close_study(study: Study) -> Study:
    """No reading is taken any more; what was read stays."""
    study = Study.objects.select_for_update().get(pk=study.pk)
    if study.state != StudyState.OPEN:
        raise RemediableError(
            f"The study “{study.name}” is {study.state}.", remedy="Only an open study is closed."
        )
    study.state = StudyState.CLOSED
    study.save(update_fields=["state"])
    return study


@transaction.atomic
def reopen_study(study: Study) -> Study:
    """Take readings again, for what was read offline when the study closed, say."""
    study = Study.objects.select_for_update().get(pk=study.pk)
    if study.state != StudyState.CLOSED:
        raise RemediableError(
            f"The study “{study.name}” is {study.state}.", remedy="Only a closed study is reopened."
        )
    study.state = StudyState.OPEN
    study.save(update_fields=["state"])
    return study


def assign_readers(
    case_count: int, reader_count: int, *, per_case: int, rng: Random
) -> list[list[int]]:
    """Reader numbers for each case: loads differ by one at most, company is spread.

    The least loaded readers take the next case; of those, who shared fewest cases with
    the ones chosen, then by lot: agreement can be estimated between all of them.
    """
    loads = [0] * reader_count
    shared: Counter[tuple[int, int]] = Counter()
    assigned = []
    for _ in range(case_count):
        chosen: list[int] = []
        for _ in range(per_case):
            ranked = [
                (
                    loads[reader],
                    sum(shared[reader, other] for other in chosen),
                    rng.random(),
                    reader,
                )
                for reader in range(reader_count)
                if reader not in chosen
            ]
            chosen.append(min(ranked)[-1])
        for reader in chosen:
            loads[reader] += 1
        shared.update(permutations(chosen, 2))
        assigned.append(chosen)
    return assigned


def _slots(study: Study, *, cases: Sequence[Case], readers: Sequence[User]) -> list[Slot]:
    """Everything random here follows from the study's seed."""
    rng = Random(study.shuffle_seed)
    assigned = assign_readers(len(cases), len(readers), per_case=study.readers_per_case, rng=rng)
    slots = []
    for number, reader in enumerate(readers):
        own = [case for case, chosen in zip(cases, assigned, strict=True) if number in chosen]
        rng.shuffle(own)
        for position, case in enumerate(own):
            order = list(range(case.image_count))  # type: ignore[attr-defined]
            rng.shuffle(order)
            slots.append(
                Slot(study=study, case=case, reader=reader, position=position, image_order=order)
            )
    return slots


def _require_readable(study: Study, *, cases: Sequence[Case], readers: Sequence[User]) -> None:
    if not cases:
        raise RemediableError("The study has no cases.", remedy="Choose a batch with images.")
    if not study.criteria.exists():
        raise RemediableError("The study asks nothing.", remedy="Add a criterion.")
    if not readers:
        raise RemediableError("The study has no readers.", remedy="Choose who shall read.")
    if len(readers) < study.readers_per_case:
        raise RemediableError(
            f"{study.readers_per_case} readers a case are wanted, {len(readers)} are chosen.",
            remedy="Choose more readers, or fewer readers a case.",
        )
    if gone := [reader.display_name for reader in readers if not reader.is_active]:
        raise RemediableError(
            f"{', '.join(gone)} cannot log in any more.",
            remedy="Edit the study and save it: it keeps only readers who can.",
        )
    if len({reader.is_simulated for reader in readers}) > 1:
        raise RemediableError(
            "People and simulated readers are in one study.",
            remedy="Make one study for people and one for simulated readers.",
        )

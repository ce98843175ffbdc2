"""Training cases: who has to read them, in which rounds, and what an answer is worth."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Count, Max, Q, Sum

from feedback_app.accounts.models import User
from feedback_app.readings.access import training_slot_for
from feedback_app.readings.errors import InvalidReading, KeyAlreadyUsed, PhaseOver, TrainingDue
from feedback_app.readings.models import Reading
from feedback_app.readings.services.given import GivenReading
from feedback_app.readings.services.shown import Shown
from feedback_app.readings.services.submission import require_open
from feedback_app.readings.services.validation import validate
from feedback_app.readings.teaching import compare, feedback, reference_reading
from feedback_app.readings.training_models import TrainingAnswer, TrainingSlot
from feedback_app.studies.models import Slot, Study, StudyReader
from feedback_app.studies.services import references_of


@dataclass(frozen=True)
class Round:
    """A round is one time through all training cases; ``ended_at`` is None while some are not
    answered.
    """

    number: int
    answered: int
    right: int
    asked: int
    ended_at: datetime | None
    is_passed: bool

    @property
    def percent(self) -> int:
        return 100 * self.right // self.asked if self.asked else 0


@dataclass(frozen=True)
class Training:
    """How far a reader's training in a study is; ``is_due`` keeps other cases from them."""

    cases: int
    pass_percent: int
    rounds: tuple[Round, ...]
    is_due: bool

    @property
    def last(self) -> Round | None:
        """The last round that was read to its end."""
        return next((one for one in reversed(self.rounds) if one.ended_at), None)

    @property
    def first(self) -> Round | None:
        return self.rounds[0] if self.rounds and self.rounds[0].ended_at else None

    @property
    def answered_now(self) -> int:
        """How many cases of a round that has begun are answered."""
        return 0 if not self.rounds or self.rounds[-1].ended_at else self.rounds[-1].answered

    @property
    def explanation(self) -> str:
        """Why no other case comes, for the work list."""
        cases = f"{self.cases} training case{'s' if self.cases > 1 else ''}"
        last = self.last
        if self.answered_now:
            return f"{self.answered_now} of {cases} read."
        if last is None:
            return f"{cases} come first; after each you are shown the reference answer."
        if last.is_passed:
            return f"{cases} are due again."
        return (
            f"{last.right} of {last.asked} answers were right, and {self.pass_percent} % are "
            f"needed: the {cases} come once more."
        )


def training_of(study: Study, reader: int) -> Training:
    rounds = _rounds(study, reader) if study.training_count else ()
    return Training(
        cases=study.training_count,
        pass_percent=study.training_pass_percent,
        rounds=rounds,
        is_due=bool(study.training_count) and _is_due(study, reader, rounds),
    )


def require_trained(slot: Slot) -> None:
    """Keeps an unread case of a study from a reader who has to be trained first."""
    if not slot.study.training_count or slot.reader_id is None:
        return
    if not Reading.objects.filter(slot=slot).exists():
        refuse_untrained(slot.study, slot.reader_id)


def refuse_untrained(study: Study, reader: int) -> None:
    """Refuses further cases, before any is claimed, to who has to be trained first."""
    training = training_of(study, reader)
    if training.is_due:
        raise TrainingDue(
            f"Training comes first in “{study.name}”: {training.explanation}",
            remedy="Your work list leads to the training cases.",
        )


@transaction.atomic
def next_training_slot(study: Study, reader: User) -> TrainingSlot | None:
    """Returns the first training case that the reader has not answered, of a new round where
    due.
    """
    StudyReader.objects.select_for_update(no_key=True).get(study=study, reader=reader)
    training = training_of(study, reader.pk)
    if not training.is_due:
        return None
    own = TrainingSlot.objects.filter(study=study, reader=reader, answer=None)
    return own.first() or _begin_round(study, reader, number=len(training.rounds) + 1)


@transaction.atomic
def answer_training(
    given: GivenReading, *, slot_id: UUID, reader: User, idempotency_key: UUID
) -> dict[str, Any]:
    """Stores the answer to a training case once and for all, and only then tells what is right."""
    slot = training_slot_for(reader, slot_id)
    TrainingSlot.objects.select_for_update(no_key=True).get(pk=slot.pk)
    shown = Shown.of(slot)
    stored = TrainingAnswer.objects.filter(
        Q(slot=slot) | Q(idempotency_key=idempotency_key)
    ).first()
    compared = compare(given, shown, references_of(slot.case))
    if stored is None:
        _store(given, slot, shown, key=idempotency_key, rights=[c.is_right for c in compared])
    elif stored.slot_id != slot.pk:
        raise KeyAlreadyUsed(
            f"The key {idempotency_key} was used for another answer.",
            remedy="Make a new random key for every answer.",
        )
    elif stored.idempotency_key != idempotency_key:
        raise PhaseOver(
            "This training case is answered, and you were told the reference answer.",
            remedy="Go on with the next case.",
        )
    return feedback(compared, reason=slot.case.reason)


def pass_by_reference(study: Study, reader: User) -> None:
    """Lets a simulated reader give the reference answers."""
    while slot := next_training_slot(study, reader):
        given = reference_reading(Shown.of(slot), references_of(slot.case))
        answer_training(given, slot_id=slot.pk, reader=reader, idempotency_key=uuid4())


def _store(
    given: GivenReading, slot: TrainingSlot, shown: Shown, *, key: UUID, rights: Sequence[bool]
) -> None:
    require_open(slot.study)
    if given.skip_reason:
        raise InvalidReading(
            "A training case is not skipped.", remedy="Answer it as well as you can."
        )
    validate(given, shown)
    content = asdict(given)
    active_ms = content.pop("active_ms")
    content.pop("display")
    TrainingAnswer.objects.create(
        slot=slot,
        idempotency_key=key,
        content=content,
        asked=len(rights),
        right=sum(rights),
        active_ms=active_ms,
    )


def _rounds(study: Study, reader: int) -> tuple[Round, ...]:
    rows = (
        TrainingSlot.objects.filter(study=study, reader=reader)
        .order_by("round")
        .values("round")
        .annotate(
            slots=Count("pk"),
            answered=Count("answer"),
            right=Sum("answer__right", default=0),
            asked=Sum("answer__asked", default=0),
            ended=Max("answer__created_at"),
        )
    )
    return tuple(
        Round(
            number=row["round"],
            answered=row["answered"],
            right=row["right"],
            asked=row["asked"],
            ended_at=row["ended"] if row["answered"] == row["slots"] else None,
            is_passed=row["answered"] == row["slots"]
            and 100 * row["right"] >= study.training_pass_percent * row["asked"],
        )
        for row in rows
    )


def _is_due(study: Study, reader: int, rounds: Sequence[Round]) -> bool:
    """Until a round is passed, and again after so many readings as the design says."""
    if not rounds or not rounds[-1].is_passed:
        return True
    if not study.training_every:
        return False
    since = Reading.objects.filter(
        reader=reader, slot__study=study, revision=1, created_at__gt=rounds[-1].ended_at
    )
    return since.count() >= study.training_every


def _begin_round(study: Study, reader: User, *, number: int) -> TrainingSlot:
    """Every round has an order of its own."""
    rng = Random(f"{study.shuffle_seed}:training:{reader.pk}:{number}")
    cases = list(study.training_cases.prefetch_related("case_images"))
    slots = []
    for position, case in enumerate(rng.sample(cases, len(cases))):
        count = len(case.case_images.all())
        slots.append(
            TrainingSlot(
                study=study,
                case=case,
                reader=reader,
                round=number,
                position=position,
                image_order=rng.sample(range(count), count),
            )
        )
    return TrainingSlot.objects.bulk_create(slots)[0]

"""Final readings, and their place where they settle others, for whoever asks for that."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from feedback_app.readings.models import Reading, ReadingQuerySet, SkipReason
from feedback_app.readings.retraction_models import Retraction
from feedback_app.studies.models import Phase, Slot, SlotQuerySet


def final_readings(*, as_of: datetime | None = None) -> ReadingQuerySet:
    """Returns the final readings of adjudications, as they are or were then, that count now."""
    of_study = Retraction.objects.active().filter(
        Q(reader=None) | Q(reader=OuterRef("reader")),
        study=OuterRef("slot__study__adjudicates__study"),
    )
    every = Reading.objects.all()
    last = (every.as_of(as_of) if as_of else every.current()).standing()
    return last.filter(~Exists(of_study), slot__phase=Phase.FINAL, skip_reason=SkipReason.NONE)


def with_finals(readings: ReadingQuerySet, finals: ReadingQuerySet) -> ReadingQuerySet:
    """Returns the readings, but of cases that have a final one the final ones alone."""
    settled = finals.order_by().values("slot__case__copied_from__original")
    others = readings.order_by().exclude(slot__case__in=settled)
    return Reading.objects.filter(
        Q(pk__in=others.values("pk")) | Q(pk__in=finals.order_by().values("pk"))
    )


def sent_slots() -> SlotQuerySet:
    """Returns the slots of final readings in rounds that were not taken back."""
    return Slot.objects.planned().filter(phase=Phase.FINAL)

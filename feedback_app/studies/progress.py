"""How far the readers of a study are."""

from dataclasses import dataclass

from django.db.models import Avg, Count, Q

from feedback_app.accounts.models import User
from feedback_app.studies.models import ActiveOrder, Draw, DrawRule, Slot, Study


@dataclass(frozen=True)
class ReaderProgress:
    """``total`` is None in a pool, where nobody has a share of their own."""

    reader: User
    read: int
    total: int | None

    @property
    def percent(self) -> int:
        return 100 * self.read // self.total if self.total else 0


def progress_of(study: Study) -> list[ReaderProgress]:
    """Returns each reader's progress, in the order of their names."""
    counts = {
        reader: (total, read)
        for reader, total, read in Slot.objects.filter(study=study, reader__isnull=False)
        .planned()
        .order_by()
        .values("reader")
        .annotate(total=Count("reader"), read=Count("reader", filter=Q(is_read=True)))
        .values_list("reader", "total", "read")
    }
    progress = []
    for reader in User.objects.filter(studies=study).order_by("last_name", "username"):
        total, read = counts.get(reader.pk, (0, 0))
        progress.append(
            ReaderProgress(reader=reader, read=read, total=None if study.is_pool else total)
        )
    return progress


@dataclass(frozen=True)
class OrderProgress:
    """What an active order has drawn so far, shared cases left out, and what is left.

    ``disagreement_drawn`` and ``disagreement_left`` are mean values of what was given by value,
    and of cases that nobody has been given.
    """

    order: ActiveOrder
    by_lot: int
    by_value: int
    disagreement_drawn: float | None
    disagreement_left: float | None

    @property
    def drawn(self) -> int:
        return self.by_lot + self.by_value

    @property
    def explored_percent(self) -> float:
        return 100 * self.by_lot / self.drawn if self.drawn else 0.0


def order_progress_of(study: Study) -> OrderProgress | None:
    """Returns what was drawn so far, or None where the order is not active."""
    order = ActiveOrder.objects.filter(study=study).select_related("reward_model", "run").first()
    if order is None:
        return None
    draws = Draw.objects.filter(slot__study=study)
    counts = draws.aggregate(
        by_lot=Count("pk", filter=Q(rule=DrawRule.LOT)),
        by_value=Count("pk", filter=Q(rule=DrawRule.VALUE)),
        drawn=Avg("value", filter=Q(rule=DrawRule.VALUE)),
    )
    free = Slot.objects.filter(study=study, seat=0, reader__isnull=True, value__isnull=False)
    return OrderProgress(
        order=order,
        by_lot=counts["by_lot"],
        by_value=counts["by_value"],
        disagreement_drawn=counts["drawn"],
        disagreement_left=free.aggregate(left=Avg("value"))["left"],
    )

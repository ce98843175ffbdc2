"""How far the readers of a study are."""

from dataclasses import dataclass

from django.db.models import Count, Q

from feedback_app.accounts.models import User
from feedback_app.studies.models import Slot, Study


@dataclass(frozen=True)
class ReaderProgress:
    """``total`` is None in a pool, where nobody has a share of her own."""

    reader: User
    read: int
    total: int | None

    @property
    def percent(self) -> int:
        return 100 * self.read // self.total if self.total else 0


def progress_of(study: Study) -> list[ReaderProgress]:
    """By reader, in the order of their names."""
    counts = {
        reader: (total, read)
        for reader, total, read in Slot.objects.filter(study=study, reader__isnull=False)
        .with_is_read()
        .order_by()
        .values("reader")
        .annotate(total=Count("pk"), read=Count("pk", filter=Q(is_read=True)))
        .values_list("reader", "total", "read")
    }
    progress = []
    for reader in User.objects.filter(studies=study).order_by("last_name", "username"):
        total, read = counts.get(reader.pk, (0, 0))
        progress.append(
            ReaderProgress(reader=reader, read=read, total=None if study.is_pool else total)
        )
    return progress

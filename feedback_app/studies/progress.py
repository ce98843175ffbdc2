"""How far the readers of a study are."""

from dataclasses import dataclass

from django.db.models import Count, Q

from feedback_app.accounts.models import User
from feedback_app.studies.models import Study


@dataclass(frozen=True)
class ReaderProgress:
    reader: User
    read: int
    total: int

    @property
    def percent(self) -> int:
        return 100 * self.read // self.total if self.total else 0


def progress_of(study: Study) -> list[ReaderProgress]:
    """By reader, in the order of their names."""
    own = Q(slots__study=study)
    readers = (
        User.objects.filter(studies=study)
        .annotate(
            total=Count("slots", filter=own, distinct=True),
            read=Count("slots", filter=own & Q(slots__readings__isnull=False), distinct=True),
        )
        .order_by("last_name", "username")
    )
    return [
        ReaderProgress(reader=reader, read=reader.read, total=reader.total) for reader in readers
    ]

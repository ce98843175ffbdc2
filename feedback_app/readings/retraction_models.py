"""Retractions: whose readings are not to be relied on."""

import uuid
from collections.abc import Collection
from typing import NamedTuple, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from feedback_app.studies.models import Study


class RetractionQuerySet(models.QuerySet["Retraction"]):
    def active(self) -> Self:
        return self.filter(undone_at__isnull=True)

    def readers(self) -> models.QuerySet["Retraction", int]:
        """Returns those whose readings are retracted in all studies."""
        return self.filter(reader__isnull=False, study=None).values_list("reader", flat=True)

    def studies(self) -> models.QuerySet["Retraction", uuid.UUID]:
        """Returns those whose readings are retracted whoever read."""
        return self.filter(study__isnull=False, reader=None).values_list("study", flat=True)

    def places(self) -> list[tuple[int, uuid.UUID]]:
        """Readers whose readings of one study are retracted, each with the study."""
        of_both = self.filter(reader__isnull=False, study__isnull=False)
        return list(of_both.values_list("reader", "study"))

    def sources(self) -> "Sources":
        """Returns all that is retracted, for what asks what rests on it."""
        return Sources(tuple(self.readers()), tuple(self.studies()), tuple(self.places()))


def retracted_in(study: Study) -> set[int]:
    """Readers who are retracted, everywhere or in this study."""
    active = Retraction.objects.active()
    return {*active.readers(), *(one for one, where in active.places() if where == study.pk)}


class Sources(NamedTuple):
    """Whose readings are meant: of readers, of studies, of a reader in one study."""

    readers: Collection[int] = ()
    studies: Collection[uuid.UUID] = ()
    places: Collection[tuple[int, uuid.UUID]] = ()

    @property
    def are_none(self) -> bool:
        return not (self.readers or self.studies or self.places)

    def among(self, *, reader: str, study: str) -> Q:
        """Rows whose ``reader`` and ``study`` are among them; the arguments are look-ups."""
        found = Q(**{f"{reader}__in": self.readers}) | Q(**{f"{study}__in": self.studies})
        for one, where in self.places:
            found |= Q(**{reader: one, study: where})
        return found


class Retraction(models.Model):
    """All readings of a reader, of a study, or of a reader in a study are not to be relied on.

    That holds until it is undone. They stay where they are; nothing new is drawn from them.
    ``rebuild_asked_at`` is set while all that rests on them is being rebuilt without them, on
    behalf of ``rebuild_asked_by``.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT,
        related_name="retractions",
    )  # fmt: skip
    study = models.ForeignKey(
        Study, null=True, blank=True, on_delete=models.PROTECT, related_name="retractions"
    )
    reason = models.TextField(max_length=2_000)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField(default=timezone.now)
    undone_reason = models.TextField(max_length=2_000, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    undone_at = models.DateTimeField(null=True, blank=True)
    rebuild_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    rebuild_asked_at = models.DateTimeField(null=True, blank=True)

    objects = RetractionQuerySet.as_manager()

    class Meta:
        ordering = ["-made_at"]
        constraints = [
            models.CheckConstraint(
                name="a_retraction_is_of_a_reader_or_a_study",
                condition=Q(study__isnull=False) | Q(reader__isnull=False),
            ),
            models.CheckConstraint(
                name="an_undone_retraction_has_its_reason",
                condition=Q(undone_at__isnull=True, undone_reason="")
                | (Q(undone_at__isnull=False) & ~Q(undone_reason="")),
            ),
            models.UniqueConstraint(
                name="one_active_retraction_a_reader",
                fields=["reader"],
                condition=Q(undone_at__isnull=True, study__isnull=True),
            ),
            models.UniqueConstraint(
                name="one_active_retraction_a_study",
                fields=["study"],
                condition=Q(undone_at__isnull=True, reader__isnull=True),
            ),
            models.UniqueConstraint(
                name="one_active_retraction_a_reader_of_a_study",
                fields=["reader", "study"],
                condition=Q(undone_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.target_name}"

    @property
    def kind(self) -> str:
        return "reader" if self.reader_id else "study"

    @property
    def target_name(self) -> str:
        if self.reader and self.study:
            return f"{self.reader.display_name} in “{self.study}”"
        return self.reader.display_name if self.reader else str(self.study)

    @property
    def sources(self) -> Sources:
        """Returns whose readings it retracts."""
        reader, study = self.reader_id, self.study_id
        if reader and study:
            return Sources(places=[(reader, study)])
        return Sources(readers=[reader] if reader else [], studies=[study] if study else [])

    @property
    def is_active(self) -> bool:
        return self.undone_at is None

"""Slots: planned readings."""

import uuid
from typing import Self

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from feedback_app.images.models import Image
from feedback_app.related import related_rows
from feedback_app.studies.enums import ADJUDICATION, Phase
from feedback_app.studies.models.cases import Case, CaseImage, CaseMask
from feedback_app.studies.models.questions import Criterion, questions_of
from feedback_app.studies.models.reports import CaseText, by_lot
from feedback_app.studies.models.studies import Allocation, Study, StudyState
from feedback_app.studies.modes import mode_of


class SlotQuerySet(models.QuerySet["Slot"]):
    def of_reader(self, reader: models.Model) -> Self:
        """The only way from a reader to anything they may read."""
        return self.filter(reader=reader).exclude(study__state=StudyState.DRAFT).ready()

    def ready(self) -> Self:
        """Leaves out final readings until all others who adjudicate the case have read it blind.

        Whoever cannot log in any more is not waited for.
        """
        blind = Slot.objects.filter(case=OuterRef("case"), phase=Phase.BLIND)
        others = blind.exclude(reader=OuterRef("reader")).exclude(reader__is_active=False)
        waiting = others.unread()
        return self.exclude(Q(phase=Phase.FINAL) & Exists(waiting))

    def planned(self) -> Self:
        """Leaves out what was taken back from readers who were taken out of their study."""
        return self.filter(withdrawn_at=None)

    def wanted(self) -> Self:
        """Leaves out slots for which others read: those taken back, or without a seat in a pool."""
        return self.planned().exclude(study__allocation=Allocation.POOL, seat__isnull=True)

    def unread(self) -> Self:
        return self.planned().filter(is_read=False)

    def with_page(self) -> Self:
        """Adds what the reading page shows beside: prompt, ``mask_kinds``, ``is_bookmarked``."""
        kinds = CaseMask.objects.filter(case=OuterRef("case")).values("kind")
        bookmarks = related_rows(self.model, "bookmark").filter(slot=OuterRef("pk"))
        return self.annotate(
            prompt=F("case__prompt"),
            mask_kinds=ArraySubquery(kinds),
            is_bookmarked=Exists(bookmarks),
        )


class Slot(models.Model):
    """One planned reading, with a reader, or without one yet in an open pool.

    ``image_order[i]`` is the case position of the image shown at place ``i``. The
    random ``id`` is all that a reader's browser ever sees of case and study.

    In a pool, ``seat`` counts the readings wanted of a case from 0. A slot whose lease
    ran out unread gives its seat to a new free slot and keeps its reader without a seat,
    so that what they still send is never lost. ``value`` is what a reading of the case
    would teach, where the pool's order is active and its images were measured; it stays as
    it was when the slot was given. ``is_read`` says that a reading was submitted for it: the
    first one sets it, and ends the lease, by a trigger. ``withdrawn_at`` is when an unread
    slot was taken back from a reader who was taken out of the study: nobody waits for it, yet what
    they still send of it is kept.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="slots")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="slots")
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="slots",
    )
    position = models.PositiveIntegerField()
    repetition = models.PositiveSmallIntegerField(default=0)
    phase = models.CharField(max_length=8, choices=Phase, default=Phase.ONLY, blank=True)
    image_order = ArrayField(models.PositiveSmallIntegerField())
    priority = models.SmallIntegerField(default=0)
    seat = models.PositiveSmallIntegerField(null=True, blank=True)
    value = models.FloatField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    is_read = models.BooleanField(default=False, db_default=False, editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = SlotQuerySet.as_manager()
    # Of ``with_page`` alone.
    prompt: str
    mask_kinds: list[str]
    is_bookmarked: bool

    class Meta:
        ordering = ["-priority", "position"]
        constraints = [
            models.UniqueConstraint(
                name="one_slot_a_reader_case_repetition_and_phase",
                fields=["study", "case", "reader", "repetition", "phase"],
            ),
            models.UniqueConstraint(
                name="one_slot_a_reader_and_position", fields=["study", "reader", "position"]
            ),
            models.UniqueConstraint(name="one_slot_a_seat", fields=["case", "seat"]),
            models.CheckConstraint(
                name="what_is_read_has_no_lease",
                condition=Q(is_read=False) | Q(lease_until__isnull=True),
            ),
        ]
        indexes = [
            models.Index(
                name="free_slots",
                fields=["study", "-priority", "position"],
                condition=Q(reader__isnull=True),
            ),
            models.Index(
                name="free_slots_by_value",
                fields=["study", "seat", "-value", "position"],
                condition=Q(reader__isnull=True, value__isnull=False),
            ),
            models.Index(
                name="leased_slots",
                fields=["study", "lease_until"],
                condition=Q(lease_until__isnull=False),
            ),
            models.Index(
                name="progress_of_slots",
                fields=["study", "reader", "is_read"],
                include=["seat"],
                condition=Q(withdrawn_at__isnull=True),
            ),
        ]

    @property
    def is_adjudication(self) -> bool:
        return self.phase in ADJUDICATION

    def images_in_order(self) -> list[Image]:
        """Returns the images as this slot shows them; who has one rendered ahead wants no
        file's row.
        """
        places = CaseImage.objects.filter(case=self.case_id).select_related("image")
        images = [place.image for place in places]
        return [images[position] for position in self.image_order]

    def texts_in_order(self) -> list[CaseText]:
        """Returns the reports as this slot shows them: a draft, or the left one and the right
        one.
        """
        return by_lot(
            list(CaseText.objects.filter(case=self.case_id)),
            seed=self.study.shuffle_seed,
            case=self.case_id,
            reader=self.reader_id,
            repetition=self.repetition,
        )

    def criteria(self) -> list[Criterion]:
        """Returns what is asked in this slot's phase: scores while unaware, the source when
        aware.
        """
        asked = questions_of(self.study).criteria
        kind = mode_of(self.study.mode).asked_in(self.phase)
        return [criterion for criterion in asked if kind in (None, criterion.kind)]

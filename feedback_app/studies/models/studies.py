"""A study: its mode, its readers and its design."""

import uuid
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, F, OuterRef, Q, Sum, When
from django.utils import timezone

from feedback_app.images.models import Cohort, Scorer
from feedback_app.related import number_of, related_rows
from feedback_app.runs.models import Run
from feedback_app.studies.modes import (
    DEFAULT_MODE,
    CompareReports,
    RealOrSynthetic,
    WriteReport,
    mode_choices,
    mode_of,
)

NAME_LENGTH = 100
IMAGES_PER_CASE = (2, 6)
PERCENT = [MaxValueValidator(100)]
EXPLORATION_PERCENT = (5, 100)
"""So many of an active order's draws are by lot among all free cases."""


class StudyState(models.TextChoices):
    DRAFT = "draft"
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


class Allocation(models.TextChoices):
    ASSIGNED = "assigned", "Each reader gets cases of their own when the study opens"
    POOL = "pool", "Readers take the next free case from a common pool"


class CaseOrder(models.TextChoices):
    """This says which case of an open pool is given next."""

    RANDOM = "random", "Shuffled"
    ACTIVE = "active", "Those first about which a reward model is most divided"


class StudyQuerySet(models.QuerySet["Study"]):
    def own(self) -> Self:
        """Leaves out the panels of adjudications: what is read there belongs to another study."""
        return self.filter(adjudicates=None)

    def with_progress(self) -> Self:
        """Adds ``case_count``, ``slot_count`` and ``read_count`` (slots with a reading).

        Each is counted on its own: joined, they would multiply each other's rows. As in
        ``SlotQuerySet.wanted``, but so that an index alone answers.
        """
        slots = related_rows(self.model, "slots").planned().filter(study=OuterRef("pk"))
        return self.select_related("slots_run").annotate(
            case_count=number_of(related_rows(self.model, "cases").filter(study=OuterRef("pk"))),
            slot_count=_wanted(slots),
            read_count=_wanted(slots.filter(is_read=True)),
        )

    def unread_slots(self) -> int:
        """Counts what waits to be read in all of them together."""
        counted = self.with_progress().aggregate(left=Sum(F("slot_count") - F("read_count")))
        return counted["left"] or 0


def _wanted(slots: "models.QuerySet[Any]") -> Case:
    """Returns how many of a study's planned slots are wanted: in a pool, those with a seat."""
    seated = number_of(slots.filter(seat__isnull=False))
    return Case(When(allocation=Allocation.POOL, then=seated), default=number_of(slots))


class Study(models.Model):
    """A reader study; its slots are written out when it opens.

    ``anchor_count`` cases are read by every reader; ``repeat_percent`` of a reader's
    cases come to them a second time, at least ``repeat_min_gap`` cases later, for
    test-retest. Orders are shuffled in blocks of ``block_size`` (0: all at once), each
    a like mixture of sources. ``real_percent`` is the share of cohort images in mode
    *real or synthetic*; with ``has_phases`` a reader first judges every image unaware
    that some are synthetic, and only then says which. Beside each case stands a real image of
    the same findings, of ``reference_cohort``, where there is one. ``slots_run`` is the last run
    that was to write cases or slots: where there are many, a worker writes them.

    In a pool whose ``case_order`` is active, cases come by the disagreement of
    ``reward_model`` (see ``ActiveOrder`` for the one in use), but ``exploration_percent`` of
    the draws by lot. Readers first read its ``training_count`` training cases, and again after
    ``training_every`` of their readings (0: never), until ``training_pass_percent`` of their
    answers are right; with ``gold_teaches`` they are told the answer of a gold case, too, once
    they have read it. ``seat_count`` is how many seats such a pool has had written, at the
    positions from 0.

    In a study of reports ``cohort_images`` images of ``real_cohort`` are shown, with the texts that
    ``draft_sources`` have for them; ``undrafted_percent`` of the cases come without a draft.

    ``picked`` are candidates that were picked by hand, beside those of batches, of which
    ``sample_size`` images are drawn where it is set. All should be read by the end of ``due_on``.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=NAME_LENGTH, unique=True)
    mode = models.CharField(max_length=20, choices=mode_choices, default=DEFAULT_MODE)
    state = models.CharField(max_length=16, choices=StudyState, default=StudyState.DRAFT)
    instructions = models.TextField(blank=True)
    guideline = models.TextField(blank=True)
    readers = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="StudyReader", related_name="studies"
    )
    allocation = models.CharField(max_length=16, choices=Allocation, default=Allocation.ASSIGNED)
    readers_per_case = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1)]
    )
    images_per_case = models.PositiveSmallIntegerField(
        default=4,
        validators=[MinValueValidator(IMAGES_PER_CASE[0]), MaxValueValidator(IMAGES_PER_CASE[1])],
    )
    anchor_count = models.PositiveIntegerField(default=0)
    repeat_percent = models.PositiveSmallIntegerField(default=0, validators=PERCENT)
    repeat_min_gap = models.PositiveSmallIntegerField(default=10)
    block_size = models.PositiveSmallIntegerField(default=0)
    real_cohort = models.ForeignKey(Cohort, null=True, blank=True, on_delete=models.PROTECT)
    real_percent = models.PositiveSmallIntegerField(default=50, validators=PERCENT)
    real_from_training = models.BooleanField(default=False)
    cohort_images = models.PositiveIntegerField(default=20)
    draft_sources = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    undrafted_percent = models.PositiveSmallIntegerField(default=0, validators=PERCENT)
    has_phases = models.BooleanField(default=False)
    reference_cohort = models.ForeignKey(
        Cohort, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    shows_prior = models.BooleanField(default=False, db_default=False)
    break_every_min = models.PositiveSmallIntegerField(default=30)
    case_order = models.CharField(max_length=8, choices=CaseOrder, default=CaseOrder.RANDOM)
    reward_model = models.ForeignKey(
        Scorer, null=True, blank=True, on_delete=models.PROTECT, related_name="studies"
    )
    exploration_percent = models.PositiveSmallIntegerField(
        default=20,
        validators=[
            MinValueValidator(EXPLORATION_PERCENT[0]),
            MaxValueValidator(EXPLORATION_PERCENT[1]),
        ],
    )
    picked = ArrayField(models.UUIDField(), default=list, blank=True)
    sample_size = models.PositiveIntegerField(null=True, blank=True)
    due_on = models.DateField(null=True, blank=True)
    training_count = models.PositiveSmallIntegerField(default=0)
    training_pass_percent = models.PositiveSmallIntegerField(default=80, validators=PERCENT)
    training_every = models.PositiveSmallIntegerField(default=0)
    gold_teaches = models.BooleanField(default=False)
    seat_count = models.PositiveIntegerField(default=0)
    shuffle_seed = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="designed_studies",
    )
    created_at = models.DateTimeField(default=timezone.now)
    slots_run = models.ForeignKey(
        Run, null=True, blank=True, on_delete=models.SET_NULL, related_name="studies"
    )
    opened_at = models.DateTimeField(null=True, blank=True)
    unblinded_at = models.DateTimeField(null=True, blank=True)
    unblinded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="unblinded_studies",
    )

    objects = StudyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "studies"
        constraints = [
            models.CheckConstraint(
                name="a_case_has_two_to_six_images",
                condition=Q(images_per_case__range=IMAGES_PER_CASE),
            ),
            models.CheckConstraint(
                name="phases_are_for_telling_real_from_synthetic",
                condition=Q(has_phases=False) | Q(mode=RealOrSynthetic.slug),
            ),
            models.CheckConstraint(
                name="no_real_image_stands_beside_what_may_be_real",
                condition=Q(reference_cohort=None) | ~Q(mode=RealOrSynthetic.slug),
            ),
            models.CheckConstraint(
                name="an_earlier_image_stands_beside_reports",
                condition=Q(shows_prior=False)
                | Q(mode__in=[WriteReport.slug, CompareReports.slug], reference_cohort=None),
            ),
            models.CheckConstraint(
                name="an_active_order_is_of_a_pool_with_a_reward_model",
                condition=Q(case_order=CaseOrder.RANDOM)
                | (
                    Q(allocation=Allocation.POOL, reward_model__isnull=False)
                    & ~Q(mode=RealOrSynthetic.slug)
                ),
            ),
            models.CheckConstraint(
                name="an_active_order_explores",
                condition=Q(exploration_percent__range=EXPLORATION_PERCENT),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_draft(self) -> bool:
        return self.state == StudyState.DRAFT

    @property
    def is_being_written(self) -> bool:
        """Whether a worker writes its cases or slots, or is about to: nothing else changes it."""
        return self.slots_run is not None and not self.slots_run.is_finished

    @property
    def shown_state(self) -> str:
        """Returns the state in words; a draft stays one, whole, until all that a run writes is
        there.
        """
        run = self.slots_run
        if not self.is_draft or run is None or run.is_finished:
            return self.state
        return "filling" if run.kind == "fill_study" else "opening"

    @property
    def tells_source(self) -> bool:
        """Whether coordinators may see where its images are from."""
        return self.unblinded_at is not None or not mode_of(self.mode).hides_source

    @property
    def is_open(self) -> bool:
        return self.state == StudyState.OPEN

    @property
    def is_pool(self) -> bool:
        return self.allocation == Allocation.POOL

    @property
    def is_active(self) -> bool:
        return self.case_order == CaseOrder.ACTIVE

    @property
    def takes_cases(self) -> bool:
        """Whether candidates can be added: to a draft by its design, later behind all others."""
        return self.is_draft or (
            self.state in {StudyState.OPEN, StudyState.PAUSED}
            and not mode_of(self.mode).refusal_of_more(self)
        )

    @property
    def is_unblinded(self) -> bool:
        return self.unblinded_at is not None


class StudyReader(models.Model):
    """It is a reader's place in a study."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE)
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="a_reader_joins_once", fields=["study", "reader"])
        ]

"""Experiments: downstream models trained with and without synthetic images, and their cells."""

import uuid
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Count, Q
from django.utils import timezone

from feedback_app.curation.models import CuratedSet
from feedback_app.experiments.labels import ARM_LABELS, arm_at
from feedback_app.experiments.statistics.metrics import METRICS
from feedback_app.exports.models import Export
from feedback_app.images.models import Batch, Blob, Candidate, Cohort
from feedback_app.runs.models import Run, State


class Task(models.TextChoices):
    CLASSIFICATION = "classification", "Classification of findings"
    SEGMENTATION = "segmentation", "Segmentation of masks"


class ExperimentState(models.TextChoices):
    DRAFT = "draft"
    STARTED = "started"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    FINISHED = "finished"


class ExperimentQuerySet(models.QuerySet["Experiment"]):
    def with_counts(self) -> Self:
        """Adds ``cell_count``, ``done_count``, ``failed_count``."""
        return self.annotate(
            cell_count=Count("cells", distinct=True),
            done_count=Count("cells", filter=Q(cells__result__isnull=False), distinct=True),
            failed_count=Count("cells", filter=Q(cells__run__state=State.FAILED), distinct=True),
        )


class Experiment(models.Model):
    """A task on a cohort's test split: sizes of the real training set x arms x ratios x seeds.

    The primary comparison is between ``primary_arm`` at ``primary_size`` and
    ``primary_ratio`` and the real images alone, by ``metric``. ``training`` are settings of a
    ``CellSpec``, ``own_generator`` those of an ``OwnGeneratorSpec``. What is frozen when it
    starts: ``real_manifest``, the cohort's images as JSON lines that name files by their
    SHA-256, and ``lineage``, what stands behind the synthetic images and which regime follows
    from it. ``vouching`` is what somebody stated of models whose training data are not
    recorded.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    task = models.CharField(max_length=16, choices=Task)
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="experiments")
    findings = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    mask_kind = models.CharField(max_length=32, blank=True)
    real_sizes = ArrayField(models.PositiveIntegerField())
    arms = ArrayField(models.CharField(max_length=20))
    ratios = ArrayField(models.FloatField())
    seeds = ArrayField(models.PositiveIntegerField())
    metric = models.CharField(max_length=64)
    primary_arm = models.CharField(max_length=20)
    primary_size = models.PositiveIntegerField()
    primary_ratio = models.FloatField()
    training = models.JSONField(default=dict)
    own_generator = models.JSONField(default=dict, blank=True)
    vouching = models.TextField(blank=True)

    state = models.CharField(max_length=16, choices=ExperimentState, default=ExperimentState.DRAFT)
    real_manifest = models.ForeignKey(
        Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    lineage = models.JSONField(default=dict, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ExperimentQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                name="a_started_experiment_has_its_manifest",
                condition=Q(state=ExperimentState.DRAFT) | Q(real_manifest__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_draft(self) -> bool:
        return self.state == ExperimentState.DRAFT

    @property
    def is_live(self) -> bool:
        return self.state == ExperimentState.STARTED

    @property
    def is_simulated(self) -> bool:
        """Whether simulated readers had a say in what is learnt from."""
        return any(source.is_simulated for source in self.sources.all())

    @property
    def primary(self) -> str:
        """Returns the primary comparison in words."""
        arm = arm_at(self.primary_arm, self.primary_ratio)
        return f"{arm}, against real images alone, at {self.primary_size} real images"

    @property
    def metric_label(self) -> str:
        return METRICS[self.metric].label

    @property
    def subject(self) -> str:
        """What the downstream models tell or draw."""
        return self.mask_kind if self.task == Task.SEGMENTATION else ", ".join(self.findings)


class ExperimentSource(models.Model):
    """Where an arm's synthetic images are from: a batch as generated, or what was curated.

    ``manifest`` is frozen when the experiment starts, as the experiment's own is.
    """

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="sources")
    arm = models.CharField(max_length=20)
    batch = models.ForeignKey(Batch, null=True, blank=True, on_delete=models.PROTECT)
    curated_set = models.ForeignKey(CuratedSet, null=True, blank=True, on_delete=models.PROTECT)
    export = models.ForeignKey(Export, null=True, blank=True, on_delete=models.PROTECT)
    manifest = models.ForeignKey(
        Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(name="one_source_an_arm", fields=["experiment", "arm"]),
            models.CheckConstraint(
                name="unfiltered_is_a_batch_and_the_rest_is_curated",
                condition=Q(arm="unfiltered", batch__isnull=False, curated_set=None, export=None)
                | (
                    ~Q(arm="unfiltered")
                    & Q(batch=None)
                    & (
                        Q(curated_set__isnull=False, export=None)
                        | Q(curated_set=None, export__isnull=False)
                    )
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{ARM_LABELS[self.arm]}: {self.title}"

    @property
    def curated(self) -> CuratedSet | None:
        """The curated set, be it named itself or through an export of it."""
        return self.export.curated_set if self.export else self.curated_set

    @property
    def kind(self) -> str:
        if self.batch:
            return "batch"
        return "export" if self.export else "curated_set"

    @property
    def row(self) -> Batch | CuratedSet | Export:
        found = self.batch or self.curated_set or self.export
        assert found is not None
        return found

    @property
    def title(self) -> str:
        if self.batch:
            return f"batch {self.batch.name}"
        curated = self.curated
        assert curated is not None
        through = "export of " if self.export else "curated set "
        return f"{through}{curated.policy.name} {curated.sha256[:8]}"

    @property
    def is_simulated(self) -> bool:
        curated = self.curated
        return bool(curated and curated.is_simulated)

    def candidates(self) -> "models.QuerySet[Candidate]":
        """Its images, in the order of their recipes."""
        if self.batch:
            found = Candidate.objects.filter(recipe__batches=self.batch)
        else:
            found = Candidate.objects.filter(curateditem__curated_set=self.curated)
        return found.order_by("recipe_id")


class OwnGenerator(models.Model):
    """A generator that learnt from the real images of a cell alone, and the images that it made.

    ``content_hash`` follows from these images and its ``settings``. ``learnt_from`` and
    ``manifest`` are JSON lines that name files by their SHA-256; the second is there once it
    is made. ``seconds`` is what training and making took. One that was erased with its cohort has
    neither images nor weights any more.
    """

    content_hash = models.CharField(max_length=64, primary_key=True)
    cohort_name = models.CharField(max_length=100)
    real_size = models.PositiveIntegerField()
    settings = models.JSONField()
    cost_key = models.CharField(max_length=64, db_index=True)
    learnt_from = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    manifest = models.ForeignKey(
        Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    seconds = models.FloatField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)
    run = models.OneToOneField(
        Run, null=True, blank=True, on_delete=models.PROTECT, related_name="own_generator"
    )
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"generator of {self.real_size} images of {self.cohort_name}"


class CellResult(models.Model):
    """What a downstream model was found to do; the same content is never trained twice.

    ``predictions`` is a JSON file with what it said of every test image. ``seconds`` is
    what training and measuring took.
    """

    content_hash = models.CharField(max_length=64, primary_key=True)
    figures = models.JSONField()
    thresholds = models.JSONField(default=dict)
    best_step = models.PositiveIntegerField()
    seconds = models.FloatField()
    cost_key = models.CharField(max_length=64, db_index=True)
    predictions = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)


class CellQuerySet(models.QuerySet["Cell"]):
    def done(self) -> Self:
        return self.filter(result__isnull=False)

    def left(self) -> Self:
        return self.filter(result=None)

    def for_pages(self) -> Self:
        return self.select_related("run", "result").order_by("real_size", "arm", "ratio", "seed")


class Cell(models.Model):
    """A cell is one downstream model of an experiment: an arm at a size, a ratio and a seed.

    ``content_hash`` follows from all that it learns from and how; it has a ``run`` unless a
    result of the same content was there when it was started.
    """

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="cells")
    arm = models.CharField(max_length=20)
    real_size = models.PositiveIntegerField()
    ratio = models.FloatField()
    seed = models.PositiveIntegerField()
    synthetic_count = models.PositiveIntegerField()
    content_hash = models.CharField(max_length=64, db_index=True)
    own_generator = models.ForeignKey(
        OwnGenerator, null=True, blank=True, on_delete=models.PROTECT, related_name="cells"
    )
    run = models.OneToOneField(
        Run, null=True, blank=True, on_delete=models.PROTECT, related_name="cell"
    )
    result = models.ForeignKey(
        CellResult, null=True, blank=True, on_delete=models.PROTECT, related_name="cells"
    )

    objects = CellQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                name="one_cell_a_place",
                fields=["experiment", "arm", "real_size", "ratio", "seed"],
            ),
            models.CheckConstraint(
                name="real_images_alone_have_no_ratio",
                condition=Q(arm="real", ratio=0, synthetic_count=0)
                | (~Q(arm="real") & Q(ratio__gt=0, synthetic_count__gt=0)),
            ),
            models.CheckConstraint(
                name="only_one_arm_has_own_generators",
                condition=Q(arm="own_generator", own_generator__isnull=False)
                | (~Q(arm="own_generator") & Q(own_generator=None)),
            ),
        ]

    def __str__(self) -> str:
        ratio = f" {self.ratio:g}x" if self.ratio else ""
        return f"{ARM_LABELS[self.arm]}{ratio}, {self.real_size} real, seed {self.seed}"

    @property
    def state(self) -> str:
        """``done``, or how its run stands."""
        if self.result_id:
            return "done"
        return self.run.state if self.run else State.QUEUED.value

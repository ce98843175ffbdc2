"""VLM versions, what they learn from, the benchmark that they answer, what they are asked."""

import uuid
from pathlib import Path
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from feedback_app.images.blobs.models import Image
from feedback_app.images.versions.folders import place_of
from feedback_app.readings.retraction_models import Retraction
from feedback_app.runs.models import State
from feedback_app.vlms.learning.gate_models import VlmGate, VlmPromotion, VlmVerdict
from feedback_app.vlms.learning.models import ReportLesson, ReportSnapshot, VlmFineTune
from generation.vlm.model.folders import FAMILIES

__all__ = [
    "BenchmarkResult",
    "BenchmarkScore",
    "ImageQuestion",
    "InstructionSet",
    "ReportLesson",
    "ReportSnapshot",
    "ScoreKind",
    "VlmFineTune",
    "VlmGate",
    "VlmPromotion",
    "VlmVerdict",
    "VlmVersion",
]


class VlmVersion(models.Model):
    """A VLM in a folder, registered or trained here; ``parent`` is the one it was taught on from.

    ``family`` is the ``model_type`` of its configuration, ``sha256`` that of its
    weights and settings.
    """

    name = models.CharField(max_length=100, unique=True)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    location = models.CharField(max_length=500)
    sha256 = models.CharField(max_length=64)
    family = models.CharField(max_length=40)
    run = models.OneToOneField(
        "runs.Run", null=True, blank=True, on_delete=models.PROTECT, related_name="vlm_version"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        verbose_name = "VLM version"

    def __str__(self) -> str:
        return self.name

    @property
    def family_title(self) -> str:
        """The family as people know it."""
        return FAMILIES.get(self.family, self.family)


class InstructionSetQuerySet(models.QuerySet["InstructionSet"]):
    def built(self) -> Self:
        """Returns those whose run has built them, and whose files were not erased since."""
        return self.filter(run__state=State.SUCCEEDED, erased_at=None)


class InstructionSet(models.Model):
    """Questions with answers on pictures, built by a run into a folder, with their benchmark.

    ``card`` has the counts and what was left out, ``benchmark`` the manifest of the frozen
    questions of test patients; both are empty until the run has built them. ``samples`` are
    records to look at, whose pictures lie in the folder as ``samples/N.png``. ``data`` is a
    folder of public data sets on the server. ``rests_on`` are readers and studies, in pairs, whose
    readings are among them. Where one of its cohorts was erased, counts and figures alone are left.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    folder = models.CharField(max_length=500)
    seed = models.CharField(max_length=32, default="0")
    cohorts = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    data = models.CharField(max_length=500, blank=True)
    has_readings = models.BooleanField(default=False)
    rests_on = models.JSONField(default=list)
    card = models.JSONField(default=dict)
    benchmark = models.JSONField(default=dict)
    samples = models.JSONField(default=list)
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)
    run = models.OneToOneField("runs.Run", on_delete=models.PROTECT, related_name="instruction_set")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = InstructionSetQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        return place_of(self.folder)

    @property
    def rests_on_retracted(self) -> bool:
        """Whether readings are among them that were retracted since."""
        retracted = Retraction.objects.active().sources()
        places = {(reader, str(study)) for reader, study in retracted.places}
        return any(
            reader in retracted.readers
            or study in set(map(str, retracted.studies))
            or (reader, study) in places
            for reader, study in self.rests_on
        )

    @property
    def count(self) -> int:
        """How many instructions it has."""
        return sum(self.card.get("splits", {}).values())

    @property
    def left_out(self) -> bool:
        """Whether anything of a source was not asked."""
        sources = self.card.get("sources", {}).values()
        return any(source["left_out"] or source["thinned"] for source in sources) or bool(
            self.card.get("alike")
        )

    @property
    def question_count(self) -> int:
        """How many questions its benchmark has."""
        return int(self.benchmark.get("questions", 0))


class BenchmarkResultQuerySet(models.QuerySet["BenchmarkResult"]):
    def scored(self) -> Self:
        """Returns those whose answers were there and are scored."""
        return self.filter(run__state=State.SUCCEEDED)


class BenchmarkResult(models.Model):
    """A model's answers to the benchmark of an instruction set, and what follows from them.

    The model is a VLM version, or one that runs elsewhere and has a name alone. ``sheet`` are
    answers to look at, whose pictures lie in the folder as ``sheet/N.png``; ``fairness`` has a
    finding's figures by sex, age band, view and their pairs.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    instruction_set = models.ForeignKey(
        InstructionSet, on_delete=models.PROTECT, related_name="results"
    )
    version = models.ForeignKey(
        VlmVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="results"
    )
    outside_model = models.CharField(max_length=100, blank=True)
    folder = models.CharField(max_length=500)
    sheet = models.JSONField(default=list)
    fairness = models.JSONField(default=list)
    run = models.OneToOneField(
        "runs.Run", on_delete=models.PROTECT, related_name="benchmark_result"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = BenchmarkResultQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.CheckConstraint(
                name="a_result_is_of_a_version_or_of_a_named_model",
                condition=models.Q(version__isnull=False, outside_model="")
                | (models.Q(version=None) & ~models.Q(outside_model="")),
            ),
            models.UniqueConstraint(
                name="one_result_an_instruction_set_and_version",
                fields=["instruction_set", "version"],
            ),
            models.UniqueConstraint(
                name="one_result_an_instruction_set_and_outside_model",
                fields=["instruction_set", "outside_model"],
                condition=~models.Q(outside_model=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} on {self.instruction_set}"

    @property
    def is_outside(self) -> bool:
        """Whether its model runs elsewhere."""
        return self.version_id is None

    @property
    def model(self) -> str:
        return self.version.name if self.version else self.outside_model

    @property
    def path(self) -> Path:
        return place_of(self.folder)


class ScoreKind(models.TextChoices):
    CHOICE = "choice", "accuracy"
    TEXT = "text", "label F1 of 14, micro"
    BOX = "box", "overlap of boxes"


class BenchmarkScore(models.Model):
    """The figure of one task and source, with 95 % intervals over patients.

    ``blind`` is the figure with another patient's pictures, ``gain`` what looking adds to it;
    ``majority`` that of training's most frequent answer, ``probe`` that of a linear probe on the
    frozen encoder. What could not be had is empty. ``unparsable`` answers count as wrong;
    ``stable`` is the share that no order of the options changed.
    """

    result = models.ForeignKey(BenchmarkResult, on_delete=models.CASCADE, related_name="scores")
    task = models.CharField(max_length=64)
    source = models.CharField(max_length=100)
    kind = models.CharField(max_length=8, choices=ScoreKind)
    questions = models.PositiveIntegerField()
    value = models.FloatField()
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    blind = models.FloatField(null=True)
    blind_low = models.FloatField(null=True)
    blind_high = models.FloatField(null=True)
    gain = models.FloatField(null=True)
    gain_low = models.FloatField(null=True)
    gain_high = models.FloatField(null=True)
    majority = models.FloatField(null=True)
    probe = models.FloatField(null=True)
    probe_low = models.FloatField(null=True)
    probe_high = models.FloatField(null=True)
    auroc = models.FloatField(null=True)
    unparsable = models.PositiveIntegerField(default=0)
    stable = models.FloatField(null=True)
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["task", "source"]
        constraints = [
            models.UniqueConstraint(
                name="one_score_a_result_task_and_source", fields=["result", "task", "source"]
            )
        ]

    @property
    def looks(self) -> bool:
        """Whether it was shown that pictures matter to the answers."""
        return self.gain_low is not None and self.gain_low > 0


class ImageQuestion(models.Model):
    """A question that somebody asked a VLM of one image.

    ``answer`` has a text or the options' probabilities, and beside them what the same question
    gets of other images; it is empty until the run is done.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(VlmVersion, on_delete=models.PROTECT, related_name="questions")
    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="questions")
    question = models.CharField(max_length=500)
    options = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    answer = models.JSONField(default=dict)
    run = models.OneToOneField("runs.Run", on_delete=models.PROTECT, related_name="image_question")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.question

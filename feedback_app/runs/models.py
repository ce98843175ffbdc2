"""Runs: the table that is the queue of every long job."""

import json
import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from feedback_app.runs.abilities import Abilities
from feedback_app.runs.words import words_of

SILENT_AFTER_S = 20
GONE_AFTER_S = 60


class State(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNSUCCESSFUL = (State.FAILED, State.CANCELLED)
NOT_SUCCEEDED = (State.QUEUED, State.RUNNING, *UNSUCCESSFUL)


def before_others(states: Iterable[State]) -> "RunQuerySet":
    """Return the runs in these states that the run of an outer query comes after."""
    return Run.objects.filter(successors=models.OuterRef("pk"), state__in=states).order_by()


class RunQuerySet(models.QuerySet["Run"]):
    def claimable(self) -> Self:
        """Queued, after no pause and nothing that has not succeeded; the most urgent first."""
        due = models.Q(not_before=None) | models.Q(not_before__lte=Now())
        queued = self.filter(due, state=State.QUEUED)
        queued = queued.exclude(models.Exists(before_others(NOT_SUCCEEDED)))
        return queued.order_by("-priority", "created_at")

    def pausing(self) -> Self:
        """Put back by trouble, and not to be tried again yet."""
        return self.filter(state=State.QUEUED, not_before__gt=Now())

    def held_up(self) -> Self:
        """Queued behind a run that failed or was cancelled."""
        return self.filter(models.Exists(before_others(UNSUCCESSFUL)), state=State.QUEUED)

    def silent(self) -> Self:
        """Running, but without a heartbeat for longer than is allowed.

        All heartbeats are in the database's time: hosts' clocks need not agree.
        """
        limit = Now() - timedelta(seconds=settings.RUN_HEARTBEAT_TIMEOUT_S)
        return self.filter(state=State.RUNNING, heartbeat_at__lt=limit)

    def fitting(self, abilities: Abilities) -> Self:
        """Returns those that a worker with these abilities takes, of whichever queue."""
        rows = self.filter(kind__in=abilities.kinds) if abilities.kinds else self
        return rows if abilities.gpu_gb is None else rows.filter(gpu_gb__lte=abilities.gpu_gb)

    def with_takers(self) -> Self:
        """Adds ``has_taker``: whether any worker that is alive would take it."""
        return self.annotate(has_taker=models.Exists(Worker.objects.taking_the_outer_run()))

    def without_taker(self) -> Self:
        """Returns those that no worker that is alive would take."""
        return self.exclude(models.Exists(Worker.objects.taking_the_outer_run()))

    def running(self) -> Self:
        return self.filter(state=State.RUNNING)

    def unfinished(self) -> Self:
        return self.filter(state__in=[State.QUEUED, State.RUNNING])

    def unsuccessful(self) -> Self:
        return self.filter(state__in=UNSUCCESSFUL)


class Run(models.Model):
    """A run is any long job: its spec, state, attempt, progress, heartbeat, log and result.

    A claim raises ``attempt``; every later write of a worker is conditional on it,
    so a worker that was thought dead cannot spoil its successor's work. ``crashes``
    counts the workers that died of it; ``done_before`` is where this attempt began.

    It is claimed once every run of ``after`` has succeeded. Where one of them fails or is
    cancelled, this one fails too, and ``failed_with`` is the run that has to be retried.

    ``gpu_gb`` is how many GB of GPU memory it needs: a worker with less leaves it to others.

    Trouble that passes puts it back: it is not claimed again before ``not_before``, and
    ``error`` says why. ``setbacks`` counts how often that was.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=64)
    queue = models.CharField(max_length=16)
    title = models.CharField(max_length=200)
    spec = models.JSONField(default=dict)
    priority = models.SmallIntegerField(default=0)
    gpu_gb = models.PositiveSmallIntegerField(default=0)
    after = models.ManyToManyField("self", symmetrical=False, blank=True, related_name="successors")

    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    attempt = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=200, blank=True)
    crashes = models.PositiveSmallIntegerField(default=0)
    setbacks = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True)
    cancel_requested = models.BooleanField(default=False)
    heartbeat_at = models.DateTimeField(null=True, blank=True)

    done = models.PositiveIntegerField(default=0)
    done_before = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)
    figures = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    failed_with = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="failed_successors"
    )

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["state", "queue", "-priority", "created_at"])]
        constraints = [
            models.CheckConstraint(
                name="a_finished_run_has_its_time",
                condition=models.Q(finished_at__isnull=False)
                | models.Q(state__in=[State.QUEUED, State.RUNNING]),
            ),
            models.CheckConstraint(
                name="only_a_failed_run_failed_with_another",
                condition=models.Q(failed_with=None) | models.Q(state=State.FAILED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.state})"

    @property
    def is_finished(self) -> bool:
        return self.state not in {State.QUEUED, State.RUNNING}

    @property
    def elapsed_s(self) -> float | None:
        if self.started_at is None:
            return None
        return ((self.finished_at or timezone.now()) - self.started_at).total_seconds()

    @property
    def rate_per_s(self) -> float | None:
        """Returns steps a second of this attempt alone."""
        done = self.done - self.done_before
        return done / self.elapsed_s if done > 0 and self.elapsed_s else None

    @property
    def remaining_s(self) -> float | None:
        if self.total is None or self.rate_per_s is None or self.is_finished:
            return None
        return max(0, self.total - self.done) / self.rate_per_s

    @property
    def heartbeat_age_s(self) -> float | None:
        if self.state != State.RUNNING or self.heartbeat_at is None:
            return None
        return max(0.0, (timezone.now() - self.heartbeat_at).total_seconds())

    @property
    def is_silent(self) -> bool:
        """Whether its heart has not beaten for several beats."""
        return (self.heartbeat_age_s or 0) > SILENT_AFTER_S

    @property
    def can_be_retried(self) -> bool:
        """Whether it ended without success, by itself: else what came before it is retried."""
        return self.state in UNSUCCESSFUL and self.failed_with_id is None

    @property
    def is_pausing(self) -> bool:
        """Whether trouble put it back and its pause is not over."""
        is_queued = self.state == State.QUEUED
        return is_queued and self.not_before is not None and self.not_before > timezone.now()

    @property
    def waits_for(self) -> str:
        """What a queued run waits for, in words."""
        if self.is_pausing:
            assert self.not_before is not None
            at = timezone.localtime(self.not_before)
            return f"put back, tried again at {at:%H:%M:%S}"
        ahead = self.after.exclude(state=State.SUCCEEDED).count()
        if not ahead:
            return self._waits_for_worker()
        return f"waiting for {ahead} run{'s' if ahead > 1 else ''} that it comes after"

    def _waits_for_worker(self) -> str:
        if Run.objects.without_taker().filter(pk=self.pk).exists():
            return f"waiting for a worker that takes {self.needs}: there is none"
        return "waiting for a worker"

    @property
    def needs(self) -> str:
        """What a worker has to take to do it, in words."""
        memory = f" with {self.gpu_gb} GB of GPU memory" if self.gpu_gb else ""
        return f"{self.kind}{memory} on queue {self.queue}"

    @property
    def kind_in_words(self) -> str:
        return words_of(self.kind)

    @property
    def spec_text(self) -> str:
        return json.dumps(self.spec, indent=2, ensure_ascii=False)

    @property
    def worker_name(self) -> str:
        """Host and process, without the time that tells processes of one id apart."""
        return self.worker.partition("@")[0]

    @property
    def percent(self) -> int | None:
        return min(100, 100 * self.done // self.total) if self.total else None


class Gathering(models.Model):
    """A training that several hosts do together just now: what it is, and where they meet.

    It is there while the worker of ``attempt`` trains. ``folder`` is relative to DATA_ROOT.
    """

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="gathering")
    attempt = models.PositiveIntegerField()
    module = models.CharField(max_length=100)
    folder = models.CharField(max_length=500)
    address = models.CharField(max_length=200)
    hosts = models.PositiveSmallIntegerField()
    processes = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return f"{self.run} at {self.address}"


class LogLine(models.Model):
    """One line of a run's log."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="log_lines")
    attempt = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)
    text = models.TextField()

    class Meta:
        ordering = ["id"]


class WorkerQuerySet(models.QuerySet["Worker"]):
    def alive(self) -> Self:
        """Returns those that gave a sign of life within the last minute, by the database's time."""
        return self.filter(seen_at__gte=Now() - timedelta(seconds=GONE_AFTER_S))

    def taking_the_outer_run(self) -> Self:
        """Returns those alive that take the run of an outer query."""
        any_kind, any_memory = models.Q(kinds=[]), models.Q(gpu_gb=None)
        return self.alive().filter(
            any_kind | models.Q(kinds__contains=[models.OuterRef("kind")]),
            any_memory | models.Q(gpu_gb__gte=models.OuterRef("gpu_gb")),
            queues__contains=[models.OuterRef("queue")],
        )

    def with_runs(self) -> Self:
        """Adds ``run_id`` and ``run_title`` of what each does; None where it waits."""
        doing = Run.objects.running().filter(worker=models.OuterRef("name")).order_by("pk")
        return self.annotate(
            run_id=models.Subquery(doing.values("pk")[:1]),
            run_title=models.Subquery(doing.values("title")[:1]),
        )


class Worker(models.Model):
    """A process that does runs; ``name`` is what stands as ``worker`` at the run that it does.

    ``gpus`` are those of its host, each with its memory, whichever process uses it. It takes runs
    of ``kinds``, or of every kind where that is empty, that need at most ``gpu_gb`` GB of GPU
    memory; None is no limit.
    """

    name = models.CharField(max_length=200, unique=True)
    host = models.CharField(max_length=200)
    queues = ArrayField(models.CharField(max_length=16), default=list)
    kinds = ArrayField(models.CharField(max_length=64), default=list)
    gpu_gb = models.PositiveIntegerField(null=True)
    gpus = models.JSONField(default=list)
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField()

    objects = WorkerQuerySet.as_manager()

    class Meta:
        ordering = ["host", "started_at"]

    def __str__(self) -> str:
        return self.short_name

    @property
    def short_name(self) -> str:
        """Host and process, without the time that tells processes of one id apart."""
        return self.name.partition("@")[0]

    @property
    def is_alive(self) -> bool:
        return (timezone.now() - self.seen_at).total_seconds() < GONE_AFTER_S

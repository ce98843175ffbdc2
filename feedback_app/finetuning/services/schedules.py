"""Fine-tuning every night, if there is enough that is new."""

import json
import logging
from dataclasses import dataclass
from datetime import time
from typing import Any

from django.conf import settings as django_settings
from django.db import transaction
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from feedback_app.finetuning.models import FineTune, Method, Schedule, Snapshot
from feedback_app.finetuning.services.finetunes import start_finetune
from feedback_app.finetuning.services.snapshots import (
    count_new_pairs,
    count_new_ratings,
    take_snapshot,
)
from feedback_app.images.models import ModelVersion
from feedback_app.runs.kinds import CPU

TASK = "finetuning.run_schedule"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ScheduleDesign:
    """What a coordinator decides; ``at`` is in the time zone of the settings."""

    name: str
    at: time
    min_new_pairs: int
    method: str = Method.DPO_MARGIN
    uses_simulated_readers: bool = False
    promotes_by_itself: bool = False
    is_enabled: bool = True


@dataclass(frozen=True)
class Outcome:
    """A fine-tune was started, or nothing was, for ``reason``."""

    fine_tune: FineTune | None = None
    reason: str = ""


@transaction.atomic
def save_schedule(design: ScheduleDesign, *, schedule: Schedule | None = None) -> Schedule:
    """Create a schedule with its periodic task, or change both."""
    schedule = schedule or Schedule()
    crontab, _ = CrontabSchedule.objects.get_or_create(
        minute=str(design.at.minute),
        hour=str(design.at.hour),
        day_of_week="*",
        day_of_month="*",
        month_of_year="*",
        timezone=django_settings.TIME_ZONE,
    )
    is_new = schedule.pk is None
    task = PeriodicTask() if is_new else schedule.periodic_task
    task.name = f"Fine-tune: {design.name}"
    task.task = TASK
    task.crontab = crontab
    task.queue = CPU
    task.enabled = design.is_enabled
    task.save()
    schedule.periodic_task = task
    schedule.name = design.name
    schedule.method = design.method
    schedule.min_new_pairs = design.min_new_pairs
    schedule.uses_simulated_readers = design.uses_simulated_readers
    schedule.promotes_by_itself = design.promotes_by_itself
    schedule.save()
    if is_new:
        task.kwargs = json.dumps({"schedule_id": schedule.pk})
        task.save()
    return schedule


def design_of(schedule: Schedule) -> dict[str, Any]:
    """The values of a ``ScheduleDesign``, as stored."""
    task = schedule.periodic_task
    return {
        "name": schedule.name,
        "at": time(int(task.crontab.hour), int(task.crontab.minute)),
        "min_new_pairs": schedule.min_new_pairs,
        "method": schedule.method,
        "uses_simulated_readers": schedule.uses_simulated_readers,
        "promotes_by_itself": schedule.promotes_by_itself,
        "is_enabled": task.enabled,
    }


def last_snapshot_of(schedule: Schedule) -> Snapshot | None:
    last = FineTune.objects.filter(schedule=schedule).select_related("snapshot").first()
    return last.snapshot if last else None


def new_readings_for(schedule: Schedule) -> int:
    """Pairs, or ratings where its method learns from those, since its last snapshot."""
    count = count_new_pairs if Method(schedule.method).learns_from_pairs else count_new_ratings
    return count(simulated=schedule.uses_simulated_readers, since=last_snapshot_of(schedule))


def model_to_teach() -> ModelVersion | None:
    """The promoted model version, or the newest base model where none is promoted."""
    promoted = ModelVersion.objects.filter(is_promoted=True).first()
    return promoted or ModelVersion.objects.filter(parent=None).order_by("-pk").first()


@transaction.atomic
def follow_schedule(schedule: Schedule) -> Outcome:
    """Take a snapshot and start a fine-tune, or say why not; at most one at a time."""
    schedule = Schedule.objects.select_for_update().get(pk=schedule.pk)
    new = new_readings_for(schedule)
    parent = model_to_teach()
    reason = ""
    if FineTune.objects.filter(schedule=schedule, run__finished_at=None).exists():
        reason = "its last fine-tune is not finished"
    elif new < schedule.min_new_pairs:
        of_what = "pairs" if Method(schedule.method).learns_from_pairs else "ratings"
        reason = f"{new} new {of_what}, {schedule.min_new_pairs} are wanted"
    elif parent is None:
        reason = "there is no model version"
    if reason or parent is None:
        logger.info("schedule %s skipped: %s", schedule.name, reason)
        return Outcome(reason=reason)
    snapshot = take_snapshot(
        name=f"{schedule.name}, {timezone.localdate().isoformat()}"[:100],
        simulated=schedule.uses_simulated_readers,
    )
    fine_tune = start_finetune(
        snapshot=snapshot,
        parent=parent,
        method=schedule.method,
        settings=schedule.settings,
        schedule=schedule,
    )
    return Outcome(fine_tune=fine_tune)

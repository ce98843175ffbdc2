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

from feedback_app.finetuning.lineage import readings_in, taught_readings
from feedback_app.finetuning.models import FineTune, Method, Schedule, Snapshot
from feedback_app.finetuning.services.finetunes import start_finetune
from feedback_app.finetuning.services.snapshots import take_snapshot
from feedback_app.finetuning.services.yields import (
    SoFar,
    count_unknown,
    taken_by,
    unknown_so_far,
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
    """Returns the values of a ``ScheduleDesign``, as stored."""
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


def new_readings_for(schedule: Schedule) -> int:
    """Pairs, or ratings where its method learns from those, of readings that are new to it.

    Neither did it take them before, nor was the version that it would teach taught on them.
    """
    return count_unknown(**_asked_by(schedule))


def new_readings_so_far(schedule: Schedule) -> SoFar:
    """Returns the same, within the time that a page may take."""
    return unknown_so_far(**_asked_by(schedule), asked={"schedule": schedule.pk})


def count_for_run(spec: dict[str, Any]) -> int:
    """Counts what a run was started for: all, or what a snapshot or a schedule has not."""
    if "schedule" in spec:
        return new_readings_for(Schedule.objects.get(pk=spec["schedule"]))
    since = Snapshot.objects.get(pk=spec["snapshot"]) if "snapshot" in spec else None
    known = taken_by(since)
    return count_unknown(spec.get("what", "pairs"), simulated=spec["simulated"], known=known)


def _asked_by(schedule: Schedule) -> dict[str, Any]:
    rows = FineTune.objects.filter(schedule=schedule).select_related("snapshot")
    known = {reading for row in rows for reading in readings_in(row.snapshot)}
    if parent := model_to_teach():
        known |= taught_readings(parent)
    what = "pairs" if Method(schedule.method).learns_from_pairs else "ratings"
    return {"what": what, "simulated": schedule.uses_simulated_readers, "known": known}


def model_to_teach() -> ModelVersion | None:
    """Returns the promoted model version, or the newest base model where none is promoted."""
    promoted = ModelVersion.objects.filter(is_promoted=True).first()
    return promoted or ModelVersion.objects.filter(parent=None).order_by("-pk").first()


@transaction.atomic
def follow_schedule(schedule: Schedule) -> Outcome:
    """Take a snapshot and start a fine-tune, or say why not; at most one at a time.

    The snapshot holds what the promoted version and its ancestors were not taught on: what
    is new, and what an earlier child learnt that was held.
    """
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
        without=taught_readings(parent),
    )
    fine_tune = start_finetune(
        snapshot=snapshot,
        parent=parent,
        method=schedule.method,
        settings=schedule.settings,
        schedule=schedule,
    )
    return Outcome(fine_tune=fine_tune)

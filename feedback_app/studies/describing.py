"""Studies, their designs and previews as the API answers them."""

from typing import Any

from feedback_app.runs.models import Run
from feedback_app.studies.choices import batches_of
from feedback_app.studies.enums import CriterionKind
from feedback_app.studies.models import ActiveOrder, Study
from feedback_app.studies.services import Preview

NUMBERS = (
    "readers_per_case",
    "images_per_case",
    "anchor_count",
    "repeat_percent",
    "repeat_min_gap",
    "block_size",
    "exploration_percent",
    "real_percent",
    "break_every_min",
    "training_count",
    "training_pass_percent",
    "training_every",
    "shuffle_seed",
)


def describe_study(study: Study) -> dict[str, Any]:
    """A study with its design, as the API answers."""
    found = batches_of(study)
    against = found.get("against")
    return {
        **summarise_study(study),
        "instructions": study.instructions,
        "guideline": study.guideline,
        "gold_teaches": study.gold_teaches,
        "allocation": study.allocation,
        "readers": [reader.username for reader in study.readers.order_by("username")],
        "batches": [str(batch.pk) for batch in found["batches"]],
        "against": str(against.pk) if against else None,
        "candidates": [str(key) for key in study.picked],
        "sample_size": study.sample_size,
        "due_on": study.due_on,
        "criteria": [
            {"name": each.name, "question": each.question, "anchors": each.anchors}
            for each in study.criteria.exclude(kind=CriterionKind.CONFIDENCE)
        ],
        "flags": list(study.flag_kinds.values_list("name", flat=True)),
        "case_order": study.case_order,
        "reward_model": _reward_model_in_use(study),
        "real_cohort": study.real_cohort.name if study.real_cohort else None,
        "real_from_training": study.real_from_training,
        "has_phases": study.has_phases,
        "takes_cases": study.takes_cases,
        **{name: getattr(study, name) for name in NUMBERS},
    }


def _reward_model_in_use(study: Study) -> str | None:
    """The one that leads now; of a draft the one that is to."""
    order = ActiveOrder.objects.filter(study=study).select_related("reward_model").first()
    reward_model = order.reward_model if order else study.reward_model
    return reward_model.name if reward_model else None


def summarise_study(study: Study) -> dict[str, Any]:
    """A line of the list; the study comes with its progress."""
    return {
        "id": str(study.pk),
        "name": study.name,
        "mode": study.mode,
        "state": study.shown_state,
        "cases": study.case_count,  # type: ignore[attr-defined]
        "slots": study.slot_count,  # type: ignore[attr-defined]
        "read": study.read_count,  # type: ignore[attr-defined]
        "created_at": study.created_at,
        "opened_at": study.opened_at,
        "unblinded_at": study.unblinded_at,
        "run": _describe_run(study.slots_run) if study.slots_run else None,
    }


def _describe_run(run: Run) -> dict[str, Any]:
    """The last run that was to write cases or slots of the study."""
    return {
        "id": str(run.pk),
        "state": run.state,
        "done": run.done,
        "total": run.total,
        "error": run.error,
        "remedy": run.remedy,
        "result": run.result,
    }


def describe_preview(preview: Preview) -> dict[str, Any]:
    return {
        "cases": preview.added.cases,
        "images": preview.added.images,
        "real": preview.added.real,
        "read_by_all": preview.shared,
        "readings": preview.readings,
        "per_reader": preview.per_reader,
        "shared_by_two": {"least": preview.least_together, "most": preview.most_together},
        "repeats": list(preview.repeats),
        "unmeasured": preview.unmeasured,
        "seconds_a_case": preview.pace.seconds,
        "is_pace_seen": preview.pace.is_seen,
        "hours": round(preview.hours, 3),
        "hours_a_reader": round(preview.hours_a_reader, 3),
        "warnings": preview.added.warnings,
        "hints": preview.hints,
        "lacks": list(preview.lacks),
    }

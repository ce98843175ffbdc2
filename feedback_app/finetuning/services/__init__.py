"""Verbs of learning: take a snapshot, start a fine-tune, keep a schedule."""

from feedback_app.finetuning.services.finetunes import finish_finetune, start_finetune
from feedback_app.finetuning.services.schedules import follow_schedule, save_schedule
from feedback_app.finetuning.services.snapshots import take_snapshot
from feedback_app.finetuning.services.yields import count_new_pairs

__all__ = [
    "count_new_pairs",
    "finish_finetune",
    "follow_schedule",
    "save_schedule",
    "start_finetune",
    "take_snapshot",
]

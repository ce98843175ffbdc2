"""Promote a model version: new batches take it."""

from feedback_app.finetuning.gates.promotion import go_back, promote_version
from feedback_app.finetuning.promoting import PromotionCommand
from feedback_app.images.versions.services import find_version


class Command(PromotionCommand):
    help = "Promote a model version, or go back: new batches take it unless told otherwise."
    find, promote, go_back = find_version, promote_version, go_back

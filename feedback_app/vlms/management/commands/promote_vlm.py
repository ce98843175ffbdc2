"""Promote a VLM version, or go back."""

from feedback_app.finetuning.promoting import PromotionCommand
from feedback_app.vlms.learning.promotion import go_back_vlm, promote_vlm
from feedback_app.vlms.services import find_vlm


class Command(PromotionCommand):
    help = "Promote a VLM version, or go back: it is offered first from then on."
    find, promote, go_back = find_vlm, promote_vlm, go_back_vlm

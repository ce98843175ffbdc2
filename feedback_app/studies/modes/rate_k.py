"""Two to six images of one prompt, each scored on every criterion."""

from feedback_app.studies.modes.base import Designed, Mode
from feedback_app.studies.modes.rate import SCORING


class RateSeveral(Mode):
    slug = "rate_k"
    label = "Rate several images of one prompt"
    explanation = SCORING
    fields = ("images_per_case",)
    images = None
    asks_none_acceptable = True

    def describe(self, design: Designed) -> str:
        return f"{self.label}, up to {design.images_per_case} at a time"

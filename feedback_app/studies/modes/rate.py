"""One image, scored on every criterion."""

from feedback_app.studies.modes.base import Mode

SCORING = (
    "Every image gets a score from 0 to 5 on each. The words beside the digits are what the "
    "reader sees while scoring."
)


class Rate(Mode):
    slug = "rate"
    label = "Rate one image"
    explanation = SCORING

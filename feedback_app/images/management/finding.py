"""Rows that commands are given by name."""

from feedback_app.images.cohorts import services
from feedback_app.images.cohorts.models import Cohort
from feedback_app.remedies import as_command_error


def find_cohort(name: str) -> Cohort:
    with as_command_error():
        return services.find_cohort(name)

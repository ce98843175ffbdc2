"""Rows that commands are given by name."""

from django.core.management.base import CommandError

from feedback_app.images.cohorts.models import Cohort


def find_cohort(name: str) -> Cohort:
    cohort = Cohort.objects.filter(name=name).first()
    if cohort is None:
        names = ", ".join(Cohort.objects.values_list("name", flat=True)) or "none"
        raise CommandError(f"There is no cohort {name!r}.\nImported: {names}.")
    return cohort

"""Studies that commands are given by name or id."""

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db.models import Q

from feedback_app.studies.models import Study


def find_study(name_or_id: str) -> Study:
    named = Q(name=name_or_id)
    try:
        study = Study.objects.filter(named | Q(pk=name_or_id)).first()
    except (ValidationError, ValueError):
        study = Study.objects.filter(named).first()
    if study is None:
        raise CommandError(f"There is no study “{name_or_id}”. The page Studies lists them.")
    return study

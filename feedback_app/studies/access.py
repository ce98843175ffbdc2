"""The only ways to a study's row from a coordinator's page."""

from uuid import UUID

from django.shortcuts import get_object_or_404

from feedback_app.studies.models import Study


def study_of(study_id: UUID) -> Study:
    return get_object_or_404(Study.objects.select_related("slots_run"), pk=study_id)


def study_with_progress_of(study_id: UUID) -> Study:
    """Returns it with its counts too, which take long to ask where there are many slots."""
    return get_object_or_404(Study.objects.with_progress(), pk=study_id)

"""The only way to a study's row from a page of its results."""

from uuid import UUID

from feedback_app.studies.access import study_of
from feedback_app.studies.models import Study


def study_with_results(study_id: UUID) -> Study:
    """Returns the study; of an adjudication's panel the one that its readings belong to."""
    study = study_of(study_id)
    return study.adjudicates.study if hasattr(study, "adjudicates") else study

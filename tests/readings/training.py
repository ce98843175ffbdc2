"""Drafts with training cases."""

from typing import Any

from feedback_app.accounts.models import User
from feedback_app.studies.models import Study
from feedback_app.studies.services import (
    KnownAnswer,
    add_cases_from_batch,
    create_study,
    make_training,
)
from tests.studies.making import make_batch

REASON = "telltale reason: the clavicles are double"


def draft_with(*readers: User, training: int = 2, **values: Any) -> Study:
    """A draft of four images to rate; so many of them are training cases, right from 4 to 5."""
    study = create_study(
        name="Calibrated", mode="rate", readers=readers, readers_per_case=1, shuffle_seed=7
    )
    add_cases_from_batch(study, make_batch(prompts=4, each=1, name="Calibrated"))
    for case in list(study.cases.all()[:training]):
        image = case.images.get()
        answers = [
            KnownAnswer(criterion, image, least=4, most=5) for criterion in study.criteria.all()
        ]
        make_training(study, case, answers, reason=REASON)
    Study.objects.filter(pk=study.pk).update(**values)
    study.refresh_from_db()
    return study

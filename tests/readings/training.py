"""Drafts with training cases."""

from typing import Any

from feedback_app.accounts.models import User
from feedback_app.images.models import Image
from feedback_app.studies.models import Study, StudyState
from feedback_app.studies.services import (
    KnownAnswer,
    add_cases_from_batch,
    create_study,
    make_training,
)
from tests.readings.rooms import make_room, synthetic
from tests.studies.making import make_batch

REASON = "telltale reason: the clavicles are double"
REPORTS = [
    ("telltale model", "No pneumothorax. Small pleural effusion."),
    ("telltale cohort", "Clear."),
]
REFERENCE = "Right pneumothorax. No pleural effusion. Possible pneumonia."


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


def draft_of_reports(mode: str, reader: User, *, cases: int = 2) -> Study:
    """A draft of a mode about reports, with a training case that has to be right as a whole."""
    texts = REPORTS if mode == "compare_reports" else REPORTS[:1]
    shown = [[synthetic(number)] for number in range(cases)]
    sources = [source for source, _ in texts]
    study = make_room(mode, reader, cases=shown, texts=texts, name=mode, draft_sources=sources)
    Study.objects.filter(pk=study.pk).update(state=StudyState.DRAFT, training_pass_percent=100)
    study.refresh_from_db()
    case = study.cases.order_by("position")[0]
    make_training(study, case, reference_of(study, case.images.get()), reason=REASON)
    study.refresh_from_db()
    return study


def reference_of(study: Study, image: Image) -> list[KnownAnswer]:
    """The reference report, or that the second report is better on the first criterion."""
    criterion = study.criteria.order_by("position")[0]
    if study.mode == "write_report":
        return [KnownAnswer(criterion, image, text=REFERENCE)]
    return [KnownAnswer(criterion, image, sign=-1)]

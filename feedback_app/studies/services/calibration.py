"""Training cases and examples of a draft: chosen, changed, taken back."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max

from feedback_app.images.models import Image
from feedback_app.studies.models import (
    Case,
    CaseImage,
    CaseMask,
    CaseText,
    GuidelineExample,
    Study,
    TrainingCase,
    TrainingImage,
    TrainingMask,
    TrainingReference,
    TrainingText,
    training_criteria,
)
from feedback_app.studies.models.calibration import NOTE_LENGTH, REASON_LENGTH
from feedback_app.studies.services.cases import KnownAnswer, images_in, require_sensible
from feedback_app.studies.services.design import lock, require_draft
from generation.errors import RemediableError


@transaction.atomic
def make_training(
    study: Study, case: Case, answers: Sequence[KnownAnswer], *, reason: str
) -> TrainingCase:
    """Moves a draft's case to those that readers are trained with; nobody reads it otherwise."""
    study = lock(study)
    require_draft(study)
    case = study.cases.get(pk=case.pk)
    texts = list(case.texts.all())
    if not all(one.text for one in texts):
        raise RemediableError(
            "A report of this case is not written yet.", remedy="Wait for the VLM’s run."
        )
    last = study.training_cases.aggregate(last=Max("position"))["last"]
    training = TrainingCase.objects.create(
        study=study, position=0 if last is None else last + 1, prompt=case.prompt, reason="-"
    )
    TrainingImage.objects.bulk_create(
        TrainingImage(case=training, image_id=place.image_id, position=place.position)
        for place in case.case_images.all()
    )
    TrainingMask.objects.bulk_create(
        TrainingMask(case=training, kind=mask.kind, blob_id=mask.blob_id)
        for mask in case.masks.all()
    )
    TrainingText.objects.bulk_create(
        TrainingText(case=training, position=one.position, source=one.source, text=one.text)
        for one in texts
    )
    case.delete()
    _answer(training, answers, reason=reason)
    _count(study)
    return training


@transaction.atomic
def change_training(
    training: TrainingCase, answers: Sequence[KnownAnswer], *, reason: str
) -> TrainingCase:
    """Gives a draft's training case other reference answers, or another reason."""
    require_draft(lock(training.study))
    return _answer(training, answers, reason=reason)


@transaction.atomic
def end_training(training: TrainingCase) -> Case:
    """Moves a training case of a draft back among those that are read, behind all others."""
    study = lock(training.study)
    require_draft(study)
    last = study.cases.aggregate(last=Max("position"))["last"]
    case = Case.objects.create(
        study=study, position=0 if last is None else last + 1, prompt=training.prompt
    )
    CaseImage.objects.bulk_create(
        CaseImage(case=case, image_id=place.image_id, position=place.position)
        for place in training.case_images.all()
    )
    CaseMask.objects.bulk_create(
        CaseMask(case=case, kind=mask.kind, blob_id=mask.blob_id) for mask in training.masks.all()
    )
    CaseText.objects.bulk_create(
        CaseText(case=case, position=one.position, source=one.source, text=one.text)
        for one in training.texts.all()
    )
    training.delete()
    _count(study)
    return case


@transaction.atomic
def add_example(
    study: Study,
    image: Image,
    *,
    criterion: str = "",
    value: int | None = None,
    flag: str = "",
    note: str = "",
) -> GuidelineExample:
    """Shows readers of a draft what a score or a flag means; the image is in no case of it."""
    study = lock(study)
    require_draft(study)
    _require_known(study, criterion=criterion, value=value, flag=flag)
    if len(note) > NOTE_LENGTH:
        raise RemediableError(
            f"The note has {len(note)} characters.", remedy=f"Shorten it to {NOTE_LENGTH}."
        )
    if image.pk in images_in(study):
        raise RemediableError(
            "The image is in a case of this study, and readers would know it.",
            remedy="Choose an image of another batch, or of a cohort.",
        )
    example, _ = GuidelineExample.objects.update_or_create(
        study=study,
        image=image,
        criterion=criterion,
        value=value,
        flag=flag,
        defaults={"note": note},
    )
    return example


@transaction.atomic
def remove_example(study: Study, example_id: int) -> None:
    require_draft(lock(study))
    study.examples.filter(pk=example_id).delete()


def references_of(training: TrainingCase) -> list[KnownAnswer]:
    """Returns the reference answers with their criteria."""
    criteria = {criterion.slug: criterion for criterion in training_criteria(training.study)}
    return [
        KnownAnswer(
            criteria[row.criterion],
            row.image,
            least=row.least,
            most=row.most,
            sign=row.sign,
            text=row.text,
        )
        for row in training.references.select_related("image")
        if row.criterion in criteria
    ]


def _answer(training: TrainingCase, answers: Sequence[KnownAnswer], *, reason: str) -> TrainingCase:
    reason = reason.strip()
    if not answers:
        raise RemediableError(
            "The training case has no reference answer.", remedy="Give at least one."
        )
    if not reason or len(reason) > REASON_LENGTH:
        raise RemediableError(
            "A training case says why its answer is right.",
            remedy=f"Give a reason of up to {REASON_LENGTH:,} characters.",
        )
    images = set(training.case_images.values_list("image", flat=True))
    asked = {criterion.slug for criterion in training_criteria(training.study)}
    for answer in answers:
        require_sensible(answer, study=training.study, images=images)
        if answer.criterion.slug not in asked:
            raise RemediableError(
                f"“{answer.criterion.name}” is not asked in the first phase.",
                remedy="Leave it out: training would tell what comes later.",
            )
    training.references.all().delete()
    TrainingReference.objects.bulk_create(
        TrainingReference(
            case=training,
            criterion=answer.criterion.slug,
            image=answer.image,
            least=answer.least,
            most=answer.most,
            sign=answer.sign,
            text=answer.text,
        )
        for answer in answers
    )
    training.reason = reason
    training.save(update_fields=["reason"])
    return training


def _require_known(study: Study, *, criterion: str, value: int | None, flag: str) -> None:
    if flag:
        is_known = study.flag_kinds.filter(slug=flag).exists() and value is None and not criterion
    else:
        asked = study.criteria.filter(slug=criterion).first()
        is_known = asked is not None and value is not None and value < len(asked.anchors)
    if not is_known:
        raise RemediableError(
            "The study has no such score or flag.", remedy="Choose one that its readers give."
        )


def _count(study: Study) -> None:
    study.training_count = study.training_cases.count()
    study.save(update_fields=["training_count"])

"""Studies with readings, made directly as rows, for whatever has to look at readings."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import numpy as np
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.images.models import (
    Candidate,
    Cohort,
    CohortImage,
    Image,
    ModelVersion,
    Patient,
    Recipe,
)
from feedback_app.readings.models import Choice, Flag, Reading, Score
from feedback_app.studies.models import (
    Case,
    CaseImage,
    Criterion,
    Slot,
    Study,
    StudyReader,
    StudyState,
)
from feedback_app.studies.scales import DEFAULT_FLAGS, REALISM
from generation.specs import SampleSpec
from tests.studies.making import make_image

CONFIDENCE = ("Definitely real", "Probably real", "Undecided", "Probably synthetic", "Synthetic")
STARTED = timezone.now() - timedelta(days=2)


def empty_study(
    *readers: User, mode: str = "rate", name: str = "Filled", **design: object
) -> Study:
    """Open, with its criteria and flags; ``realism`` is the ordinal one."""
    study = Study.objects.create(
        name=name, mode=mode, state=StudyState.OPEN, readers_per_case=len(readers), **design
    )
    StudyReader.objects.bulk_create(StudyReader(study=study, reader=reader) for reader in readers)
    add_criterion(study, slug="realism", kind="ordinal", anchors=REALISM.anchors)
    if mode == "real_or_synthetic":
        add_criterion(study, slug="source", kind="confidence", anchors=CONFIDENCE)
    if mode == "compare":
        study.criteria.all().delete()
        add_criterion(study, slug="better", kind="comparison", anchors=())
    for position, flag in enumerate(DEFAULT_FLAGS[:4]):
        study.flag_kinds.create(position=position, slug=f"flag-{position}", name=flag)
    return study


def add_criterion(study: Study, *, slug: str, kind: str, anchors: Sequence[str]) -> Criterion:
    return study.criteria.create(
        position=study.criteria.count(),
        kind=kind,
        slug=slug,
        name=slug.capitalize(),
        question=f"About {slug}?",
        anchors=list(anchors),
    )


def candidate(number: int, *, model: str = "model-one") -> Image:
    version, _ = ModelVersion.objects.get_or_create(
        name=model, defaults={"location": "bundled", "sha256": f"{len(model):064d}"}
    )
    recipe = Recipe.of(version, SampleSpec(prompt=f"prompt {number}", seed=number))
    recipe.save()
    image = make_image(number)
    Candidate.objects.create(image=image, recipe=recipe)
    return image


def real_image(number: int) -> Image:
    cohort, _ = Cohort.objects.get_or_create(name="cohort-one", defaults={"source": "folder"})
    patient, _ = Patient.objects.get_or_create(cohort=cohort, source_id=str(number), split="test")
    image = make_image(number)
    CohortImage.objects.create(
        image=image, cohort=cohort, patient=patient, source_id=f"{number}.png"
    )
    return image


def add_case(study: Study, *images: Image, **fields: object) -> Case:
    case = Case.objects.create(
        study=study, position=study.cases.count(), prompt="A chest radiograph", **fields
    )
    for position, image in enumerate(images):
        CaseImage.objects.create(case=case, image=image, position=position)
    return case


def read(
    case: Case,
    reader: User,
    *,
    scores: Mapping[str, Sequence[int]] | None = None,
    choices: Mapping[str, tuple[str, int | None, int | None]] | None = None,
    flags: Iterable[tuple[int, str, str]] = (),
    repetition: int = 0,
    phase: str = "",
    revision: int = 1,
    seconds: float = 20,
    skip_reason: str = "",
    flipped: bool = False,
) -> Reading:
    """A reading of a slot, which is made where it is not there.

    ``scores[slug]`` has a value for each image of the case; ``choices[slug]`` is (verdict,
    position of the image, strength); ``flags`` are (position, slug, grade).
    """
    images = [place.image for place in case.case_images.all()]
    order = list(range(len(images)))[:: -1 if flipped else 1]
    slot, _ = Slot.objects.get_or_create(
        study=case.study, case=case, reader=reader, repetition=repetition, phase=phase,
        defaults={
            "position": Slot.objects.filter(study=case.study, reader=reader).count(),
            "image_order": order,
        },
    )  # fmt: skip
    reading = Reading.objects.create(
        slot=slot, reader=reader, revision=revision, idempotency_key=uuid.uuid4(),
        is_simulated=reader.is_simulated, skip_reason=skip_reason, active_ms=round(seconds * 1_000),
        created_at=STARTED + timedelta(minutes=slot.position + revision - 1),
    )  # fmt: skip
    criteria = {criterion.slug: criterion for criterion in case.study.criteria.all()}
    Score.objects.bulk_create(
        Score(reading=reading, image=image, criterion=criteria[slug], value=value)
        for slug, values in (scores or {}).items()
        for image, value in zip(images, values, strict=True)
    )
    for slug, (verdict, position, strength) in (choices or {}).items():
        image = None if position is None else images[position]
        Choice.objects.create(
            reading=reading, criterion=criteria[slug], verdict=verdict, image=image,
            strength=strength,
        )  # fmt: skip
    for position, slug, grade in flags:
        kind = case.study.flag_kinds.get(slug=slug)
        Flag.objects.create(reading=reading, image=images[position], kind=kind, grade=grade)
    return reading


def rated_study(*readers: User, scores: np.ndarray, **design: object) -> Study:
    """One image a case, scored for realism: ``scores`` of (cases, readers), NaN unread."""
    study = empty_study(*readers, **design)  # type: ignore[arg-type]
    for number, row in enumerate(scores):
        case = add_case(study, candidate(number))
        for reader, value in zip(readers, row, strict=True):
            if not np.isnan(value):
                read(case, reader, scores={"realism": [int(value)]}, seconds=15 + number % 7)
    return study

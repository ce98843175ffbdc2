"""Open studies of every mode, written out as rows: real and synthetic images, readers, slots."""

import io
from collections.abc import Sequence
from datetime import timedelta
from random import Random

import numpy as np
import PIL.Image
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.images.blobs.services import store, store_image
from feedback_app.images.models import (
    Blob,
    Candidate,
    Cohort,
    CohortImage,
    Image,
    ModelVersion,
    Patient,
    Recipe,
    Scorer,
    ScorerKind,
)
from feedback_app.studies.models import (
    ActiveOrder,
    Allocation,
    Case,
    CaseImage,
    CaseMask,
    CaseOrder,
    CaseText,
    Criterion,
    CriterionKind,
    FlagKind,
    Phase,
    Slot,
    Study,
    StudyReader,
    StudyState,
)
from generation.specs import SampleSpec

MODEL_NAME = "telltale-model"
COHORT_NAME = "telltale-cohort"
SIX = ["0", "1", "2", "3", "4", "5"]
FIVE = ["surely real", "rather real", "open", "rather synthetic", "surely synthetic"]


def png(seed: int, *, size: tuple[int, int] = (32, 32), mode: str = "L", high: int = 256) -> bytes:
    """Noise of its own seed, so that no two are alike; ``size`` is width, height."""
    rng = np.random.default_rng(seed)
    shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
    pixels = rng.integers(0, high, shape)
    dtype = np.uint16 if mode == "I;16" else np.uint8
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels.astype(dtype)).save(buffer, format="PNG")
    return buffer.getvalue()


def synthetic(
    seed: int, *, prompt: str = "", size: tuple[int, int] = (32, 32), content: bytes | None = None
) -> Image:
    version, _ = ModelVersion.objects.get_or_create(
        name=MODEL_NAME, defaults={"location": "bundled", "sha256": "0" * 64}
    )
    recipe = Recipe.of(version, SampleSpec(prompt=prompt or "telltale prompt", seed=seed))
    recipe.save()
    image = store_image(content or png(seed, size=size), name=f"{seed}.png")
    Candidate.objects.create(image=image, recipe=recipe)
    return image


def real(seed: int, *, size: tuple[int, int] = (32, 32), mode: str = "L") -> Image:
    cohort, _ = Cohort.objects.get_or_create(name=COHORT_NAME, source="folder")
    patient = Patient.objects.create(cohort=cohort, source_id=f"patient-{seed}", split="test")
    image = store_image(png(seed, size=size, mode=mode), name=f"{seed}.png")
    CohortImage.objects.create(
        image=image, cohort=cohort, patient=patient, source_id=f"telltale-{seed}.png"
    )
    return image


def mask_blob(*, size: tuple[int, int] = (32, 32)) -> Blob:
    pixels = np.zeros((size[1], size[0]), dtype=np.uint8)
    pixels[size[1] // 4 : size[1] // 2, size[0] // 4 :] = 255
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, format="PNG")
    return store(buffer.getvalue(), media_type="image/png")


def make_room(
    mode: str,
    *readers: User,
    cases: Sequence[Sequence[Image]],
    name: str = "Room",
    prompt: str = "an effusion",
    mask: Blob | None = None,
    seed: int = 3,
    texts: Sequence[tuple[str, str]] = (),
    **values: object,
) -> Study:
    """An open study with its questions and cases, but no slots yet; ``texts`` have a source."""
    study = Study.objects.create(
        name=name, mode=mode, state=StudyState.OPEN, shuffle_seed=seed, **values
    )
    for position, (slug, kind) in enumerate(_questions(study)):
        anchors = {"ordinal": SIX, "confidence": FIVE}.get(kind, [])
        Criterion.objects.create(
            study=study, position=position, slug=slug, name=slug, kind=kind, anchors=anchors
        )
    for position, slug in enumerate(("clavicles", "noise")):
        FlagKind.objects.create(study=study, position=position, slug=slug, name=slug.title())
    for position, images in enumerate(cases):
        case = Case.objects.create(study=study, position=position, prompt=prompt)
        CaseText.objects.bulk_create(
            CaseText(case=case, position=place, source=source, text=text)
            for place, (source, text) in enumerate(texts)
        )
        if mask is not None:
            CaseMask.objects.create(case=case, kind="lungs", blob=mask)
        CaseImage.objects.bulk_create(
            CaseImage(case=case, image=image, position=place) for place, image in enumerate(images)
        )
    StudyReader.objects.bulk_create(StudyReader(study=study, reader=reader) for reader in readers)
    return study


def assign(study: Study, reader: User, *, phases: Sequence[str] = (Phase.ONLY,)) -> list[Slot]:
    """A slot for every case in every phase, in order, pictures shuffled by the study's seed."""
    slots: list[Slot] = []
    for phase in phases:
        for case in study.cases.order_by("position"):
            order = list(range(case.case_images.count()))
            Random(f"{study.shuffle_seed}:{case.position}:{phase}").shuffle(order)
            slots.append(
                Slot.objects.create(
                    study=study,
                    case=case,
                    reader=reader,
                    position=len(slots),
                    phase=phase,
                    image_order=order,
                )
            )
    return slots


def pool(*readers: User, cases: int = 3, overlap: int = 2, name: str = "Pool") -> Study:
    """An open pool with its free slots, seats shuffled together."""
    study = make_room(
        "rate",
        *readers,
        cases=[[synthetic(1_000 + number)] for number in range(cases)],
        name=name,
        allocation=Allocation.POOL,
        readers_per_case=overlap,
    )
    seats = [(case, seat) for case in study.cases.all() for seat in range(overlap)]
    Random(study.shuffle_seed).shuffle(seats)
    Slot.objects.bulk_create(
        Slot(study=study, case=case, position=position, seat=seat, image_order=[0])
        for position, (case, seat) in enumerate(seats)
    )
    return study


def let_lapse(*slots: Slot) -> None:
    """As though nobody had shown a sign of life for a lease and a second."""
    past = timezone.now() - timedelta(seconds=1)
    Slot.objects.filter(pk__in=[slot.pk for slot in slots]).update(lease_until=past)


def _questions(study: Study) -> list[tuple[str, CriterionKind]]:
    match study.mode:
        case "compare":
            return [
                ("realism", CriterionKind.COMPARISON),
                ("fits-the-prompt", CriterionKind.COMPARISON),
            ]
        case "write_report":
            return [("report", CriterionKind.REPORT)]
        case "compare_reports":
            return [
                ("completeness", CriterionKind.PREFERENCE),
                ("correctness", CriterionKind.PREFERENCE),
            ]
        case "real_or_synthetic":
            scores = [("realism", CriterionKind.ORDINAL)] if study.has_phases else []
            return [*scores, ("source", CriterionKind.CONFIDENCE)]
        case _:
            return [("realism", CriterionKind.ORDINAL), ("fits-the-prompt", CriterionKind.ORDINAL)]


def reward_model(name: str = "telltale-reward", **values: object) -> Scorer:
    """As far as a study needs it: a name, a version, and whose readings taught it."""
    return Scorer.objects.create(
        name=name, kind=ScorerKind.REWARD_MODEL, location="-", sha256="1" * 64, **values
    )


def active_pool(
    *readers: User,
    values: Sequence[float | None] = (0.3, 0.1, 0.2),
    overlap: int = 1,
    exploration_percent: int = 20,
    name: str = "Active pool",
) -> Study:
    """The same with an active order; ``values`` are those of its cases."""
    study = pool(*readers, cases=len(values), overlap=overlap, name=name)
    study.case_order = CaseOrder.ACTIVE
    study.reward_model = reward_model(f"telltale-reward of {name}", is_active=False)
    study.exploration_percent = exploration_percent
    study.seat_count = study.slots.count()
    study.save()
    ActiveOrder.objects.create(study=study, reward_model=study.reward_model)
    for case, value in zip(study.cases.all(), values, strict=True):
        study.slots.filter(case=case).update(value=value)
    return study

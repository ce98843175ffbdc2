"""A crowded installation, written as rows: many candidates and readings, and few files.

All pictures are one blob. 20 readers read one study whole, and others share two more.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice, pairwise
from typing import TypeVar
from uuid import UUID, uuid4

import numpy as np
from django.db import connection
from django.utils import timezone

from feedback_app.accounts.models import Role, User
from feedback_app.curation.models import Policy
from feedback_app.curation.services import create_policy
from feedback_app.images.blobs.services import store
from feedback_app.images.models import (
    Batch,
    BatchRecipe,
    Candidate,
    Image,
    Measure,
    ModelVersion,
    Recipe,
)
from feedback_app.readings.models import Choice, Flag, Reading, Score
from feedback_app.runs.models import Run, State
from feedback_app.studies.models import Case, CaseImage, CriterionKind, Slot, Study
from generation.specs import SampleSpec
from tests.readings.rooms import make_room, png

CANDIDATES = 20_000
BATCHES = 40
PROMPTS = 500
READERS = 20
SHARED_CASES = 1_000
"""Each is read by all readers."""
RATED_CASES, COMPARED_CASES = 15_000, 15_000
"""Each is read by one."""
AT_ONCE = 5_000

T = TypeVar("T")


@dataclass(frozen=True)
class Crowd:
    coordinator: User
    shared: Study
    compared: Study
    policy: Policy
    candidate: Candidate
    readings: int


def gather() -> Crowd:
    rng = np.random.default_rng(0)
    readers = [
        User.objects.create_user(f"reader{n}", role=Role.READER, first_name=f"Reader {n:02}")
        for n in range(READERS)
    ]
    images = list(_candidates(rng))
    shared = _study("Shared", "rate", readers, [[one] for one in images[:SHARED_CASES]])
    rated = _study("Rated", "rate", readers, [[one] for one in images[-RATED_CASES:]])
    pairs = list(pairwise(images))[:COMPARED_CASES]
    compared = _study("Compared", "compare", readers, pairs)
    count = sum(
        (
            _read(shared, readers, rng, by_all=True),
            _read(rated, readers, rng, by_all=False),
            _read(compared, readers, rng, by_all=False),
        )
    )
    coordinator = User.objects.create_user("cora", role=Role.COORDINATOR)
    policy = create_policy(
        "good", studies=[shared, rated], min_mean_scores={"realism": 2}, vetoing_flags=["noise"]
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    candidate = Candidate.objects.order_by("pk").first()
    assert candidate is not None
    return Crowd(coordinator, shared, compared, policy, candidate, count)


def _candidates(rng: np.random.Generator) -> Iterator[Image]:

    blob = store(png(0, size=(512, 512)), media_type="image/png")
    version = ModelVersion.objects.create(name="base", location="bundled", sha256="0" * 64)
    now = timezone.now()
    for of_batch in _parts(range(CANDIDATES), CANDIDATES // BATCHES):
        number = of_batch[0]
        batch = Batch.objects.create(name=f"batch {number}", model_version=version)
        run = Run.objects.create(
            kind="generate", queue="gpu", title=batch.name, state=State.SUCCEEDED,
            started_at=now, finished_at=now, done=len(of_batch), total=len(of_batch),
        )  # fmt: skip
        batch.runs.add(run)
        samples = [SampleSpec(prompt=f"effusion, case {n % PROMPTS}", seed=n) for n in of_batch]
        recipes = Recipe.objects.bulk_create(Recipe.of(version, one) for one in samples)
        BatchRecipe.objects.bulk_create(
            BatchRecipe(batch=batch, recipe=recipe, position=place, prompt_index=place % PROMPTS)
            for place, recipe in enumerate(recipes)
        )
        images = Image.objects.bulk_create(
            Image(
                blob=blob, width=512, height=512,
                pixels_sha256=hashlib.sha256(recipe.key.encode()).hexdigest(),
            )
            for recipe in recipes
        )  # fmt: skip
        Candidate.objects.bulk_create(
            Candidate(image=image, recipe=recipe, run=run)
            for image, recipe in zip(images, recipes, strict=True)
        )
        Measure.objects.bulk_create(
            Measure(image=image, scorer=scorer, version="1", value=value, details=details)
            for image, values in zip(images, rng.random((len(images), 2)), strict=True)
            for scorer, value, details in (
                ("nearest-training-image", values[0], {"threshold": 0.9}),
                ("label-agreement", values[1], {}),
            )
        )
        yield from images


def _study(
    name: str, mode: str, readers: Sequence[User], cases: Sequence[Sequence[Image]]
) -> Study:

    study = make_room(mode, *readers, cases=[], name=name)
    for some in _parts(enumerate(cases), AT_ONCE):
        rows = Case.objects.bulk_create(
            Case(study=study, position=position, prompt=f"effusion, case {position % PROMPTS}")
            for position, _ in some
        )
        CaseImage.objects.bulk_create(
            CaseImage(case=case, image=image, position=place)
            for case, (_, images) in zip(rows, some, strict=True)
            for place, image in enumerate(images)
        )
    return study


def _read(study: Study, readers: Sequence[User], rng: np.random.Generator, *, by_all: bool) -> int:

    images: dict[UUID, list[UUID]] = {}
    places = CaseImage.objects.filter(case__study=study).order_by("case__position", "position")
    for case, image in places.values_list("case_id", "image_id"):
        images.setdefault(case, []).append(image)
    turns = (
        (case, reader)
        for number, case in enumerate(images)
        for reader in (readers if by_all else [readers[number % len(readers)]])
    )
    count = 0
    for some in _parts(turns, AT_ONCE):
        slots = Slot.objects.bulk_create(
            Slot(
                study=study, case_id=case, reader=reader, position=count + place,
                image_order=list(range(len(images[case]))),
            )
            for place, (case, reader) in enumerate(some)
        )  # fmt: skip
        _answer(study, slots, images, rng, first=count)
        count += len(slots)
    return count


def _answer(
    study: Study,
    slots: Sequence[Slot],
    images: dict[UUID, list[UUID]],
    rng: np.random.Generator,
    *,
    first: int,
) -> None:

    begun = timezone.now() - timedelta(days=60)
    readings = Reading.objects.bulk_create(
        Reading(
            slot=slot, reader_id=slot.reader_id or 0, revision=1, idempotency_key=uuid4(),
            active_ms=int(rng.integers(4_000, 40_000)),
            created_at=begun + timedelta(seconds=30 * (first + place)),
        )
        for place, slot in enumerate(slots)
    )  # fmt: skip
    for criterion in study.criteria.all():
        if criterion.kind == CriterionKind.COMPARISON:
            Choice.objects.bulk_create(
                Choice(
                    reading=reading, criterion=criterion, verdict="better",
                    image_id=images[slot.case_id][int(rng.integers(2))], strength=1,
                )
                for reading, slot in zip(readings, slots, strict=True)
            )  # fmt: skip
        else:
            Score.objects.bulk_create(
                Score(
                    reading=reading, criterion=criterion, image_id=images[slot.case_id][0],
                    value=int(np.clip(rng.normal(3, 1), 0, 5)),
                )
                for reading, slot in zip(readings, slots, strict=True)
            )  # fmt: skip
    noise = study.flag_kinds.get(slug="noise")
    Flag.objects.bulk_create(
        Flag(reading=reading, image_id=images[slot.case_id][0], kind=noise, grade="minor")
        for reading, slot in zip(readings, slots, strict=True)
        if rng.random() < 0.1
    )


def _parts(things: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    rest = iter(things)
    while part := tuple(islice(rest, size)):
        yield part

"""Simulated readers: a documented taste, seen through each reader's own leniency and noise.

They are users marked as simulated for good, they read their own slots through the same
service as people do, and their readings are never mixed with those of people.
"""

import io
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from uuid import UUID

import PIL.Image
from django.db import transaction

from feedback_app.accounts.models import User
from feedback_app.images.models import Image
from feedback_app.readings.services import GivenScore, submit
from feedback_app.studies.models import SCORE_MAX, Slot, Study, StudyState
from feedback_app.studies.services import open_study
from generation.errors import RemediableError
from generation.rewards.tastes import readers_taste, to_grey

LENIENCY_SPREAD = 0.4
NOISE_RANGE = (0.2, 0.4)
"""Both in points of the 0-5 scale."""


@dataclass(frozen=True)
class Temperament:
    """``leniency`` is added to every score; ``noise`` is a standard deviation."""

    leniency: float
    noise: float

    @classmethod
    def of(cls, reader: User, *, seed: int) -> "Temperament":
        rng = Random(f"{seed}:{reader.username}")
        return cls(leniency=rng.gauss(0, LENIENCY_SPREAD), noise=rng.uniform(*NOISE_RANGE))

    def score(self, taste: float, rng: Random) -> int:
        """A whole number from 0 to 5 for a taste from 0 to 5."""
        felt = taste + self.leniency + rng.gauss(0, self.noise)
        return round(min(float(SCORE_MAX), max(0.0, felt)))


def simulated_readers(count: int) -> list[User]:
    """Users simulated-1 ... simulated-``count``, who cannot log in."""
    readers = []
    for number in range(1, count + 1):
        reader, is_new = User.objects.get_or_create(
            username=f"simulated-{number}",
            defaults={
                "is_simulated": True,
                "first_name": "Simulated reader",
                "last_name": str(number),
            },
        )
        if is_new:
            reader.set_unusable_password()
            reader.save(update_fields=["password"])
        elif not reader.is_simulated:
            raise RemediableError(
                f"The user {reader.username} is a person.", remedy="Rename that user."
            )
        readers.append(reader)
    return readers


@transaction.atomic
def staff_and_open(study: Study, *, reader_count: int) -> Study:
    """Give a draft its simulated readers, each of whom reads every case, and open it."""
    readers = simulated_readers(reader_count)
    study.readers.set(readers)
    study.readers_per_case = reader_count
    study.save(update_fields=["readers_per_case"])
    return open_study(study)


def simulate_readings(study: Study, *, seed: int = 0) -> int:
    """Let the study's simulated readers read what they have not; how many readings."""
    if study.state != StudyState.OPEN:
        raise RemediableError(
            f"The study “{study.name}” is {study.state}.", remedy="Open the study first."
        )
    tastes = tastes_of(study)
    slots = Slot.objects.filter(study=study, reader__is_simulated=True).unread()
    count = 0
    for slot in slots.select_related("reader", "case", "study").iterator():
        read(slot, tastes=tastes, seed=seed)
        count += 1
    if not count and not Slot.objects.filter(study=study, reader__is_simulated=True).exists():
        raise RemediableError(
            f"The study “{study.name}” has no simulated reader.",
            remedy="Design a study for simulated readers; they are not mixed with people.",
        )
    return count


def tastes_of(study: Study) -> dict[UUID, float]:
    """The readers' taste of every image of a study, 0 to 5."""
    images = Image.objects.filter(case__study=study).select_related("blob").distinct()
    return {image.pk: taste_of(image) for image in images}


def taste_of(image: Image) -> float:
    with PIL.Image.open(io.BytesIO(image.blob.read())) as picture:
        return readers_taste(to_grey(picture))


def read(slot: Slot, *, tastes: Mapping[UUID, float], seed: int) -> None:
    """Submit a simulated reader's reading of one slot.

    Every criterion is judged by the same taste, each with noise of its own. All of it
    follows from the seed, the reader's name and the case's position, and a slot read
    twice keeps its one reading.
    """
    assert slot.reader is not None
    reader = slot.reader
    temperament = Temperament.of(reader, seed=seed)
    rng = Random(f"{seed}:{reader.username}:{slot.case.position}")
    criteria = list(slot.study.criteria.values_list("slug", flat=True))
    places = {position: place for place, position in enumerate(slot.image_order)}
    images = slot.images_in_order()
    scores = [
        GivenScore(
            place=places[position],
            criterion=criterion,
            value=temperament.score(tastes[images[places[position]].pk], rng),
        )
        for position in sorted(places)
        for criterion in criteria
    ]
    submit(
        slot=slot,
        reader=reader,
        idempotency_key=uuid.uuid5(slot.pk, f"simulated reading, seed {seed}"),
        scores=scores,
    )

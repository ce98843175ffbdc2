"""Simulated readers: a documented taste, seen through each reader's own leniency and noise.

They are users marked as simulated for good, they read their own slots through the same
service as people do, and their readings are never mixed with those of people.
"""

import uuid
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from uuid import UUID

from django.db import transaction

from feedback_app.accounts.models import User
from feedback_app.images.models import Candidate, Image
from feedback_app.readings.claims import claim
from feedback_app.readings.models import Verdict
from feedback_app.readings.services import GivenChoice, GivenScore, submit
from feedback_app.readings.training import pass_by_reference
from feedback_app.rehearsal.marking import Hand, disliked, seen
from feedback_app.rehearsal.reporting import read_reports
from feedback_app.studies.models import (
    SCORE_MAX,
    CriterionKind,
    Phase,
    Slot,
    Study,
    StudyState,
)
from feedback_app.studies.services import open_study
from generation.errors import RemediableError
from generation.rewards.tastes import readers_taste

LENIENCY_SPREAD = 0.4
NOISE_RANGE = (0.2, 0.4)
"""Both in points of the 0-5 scale."""
SIMULATED_REASON = "Settled by a simulated reader."
BAD_BELOW = 1.0
EQUAL_WITHIN = 0.25
STRONGER_FROM = (1.0, 2.0)
"""Two images are both bad, equal, slightly, clearly or much apart: points of the 0-5 scale."""
D_PRIME = 1.0
CUTS = (-1.2, -0.4, 0.4, 1.2)
"""How well simulated readers tell synthetic images from real ones, and where they change from
one step of confidence to the next, in standard deviations of what they perceive."""


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
        """Returns a whole number from 0 to 5 for a taste from 0 to 5."""
        felt = taste + self.leniency + rng.gauss(0, self.noise)
        return round(min(float(SCORE_MAX), max(0.0, felt)))

    def compare(
        self, first: float, second: float, rng: Random
    ) -> tuple[int | None, str, int | None]:
        """Returns which of two tastes is better (0 or 1), the verdict, and how strongly.

        Leniency says what is bad, and cancels out of what is better; each taste is felt with
        noise of its own.
        """
        felt = [taste + self.leniency + rng.gauss(0, self.noise) for taste in (first, second)]
        if max(felt) < BAD_BELOW:
            return None, Verdict.BOTH_BAD, None
        gap = abs(felt[0] - felt[1])
        if gap < EQUAL_WITHIN:
            return None, Verdict.EQUAL, None
        better = 0 if felt[0] > felt[1] else 1
        return better, Verdict.BETTER, 1 + bisect_right(STRONGER_FROM, gap)

    def suspect(self, rng: Random, *, is_synthetic: bool) -> int:
        """Returns how surely an image seems synthetic, 0 to 4.

        The equal-variance model of signal detection: evidence of standard deviation 1 about
        plus or minus half of ``D_PRIME``, cut at ``CUTS``. The best that can be made of it
        is an area under the ROC curve of Phi(D_PRIME / sqrt(2)), 0.76.
        """
        evidence = rng.gauss(D_PRIME / 2 if is_synthetic else -D_PRIME / 2, 1)
        return bisect_right(CUTS, evidence)


def simulated_readers(count: int, *, after: int = 0) -> list[User]:
    """``count`` users, simulated-1 and so on, who cannot log in; the first ``after`` are others."""
    readers = []
    for number in range(after + 1, after + count + 1):
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
def staff_and_open(study: Study, *, reader_count: int, after: int = 0) -> Study:
    """Give a draft its simulated readers, each of whom reads every case, and open it.

    The first ``after`` simulated readers are not among them.
    """
    readers = simulated_readers(reader_count, after=after)
    study.readers.set(readers)
    study.readers_per_case = reader_count
    study.save(update_fields=["readers_per_case"])
    return open_study(study)


def simulate_readings(
    study: Study, *, seed: int = 0, is_flipped: bool = False, marks: bool = False
) -> int:
    """Let the study's simulated readers read what they have not; how many readings.

    Where their taste ``is_flipped``, the better an image is, the less they like it. With
    ``marks`` they also flag images that they do not like, where their taste is hurt.
    """
    if study.state != StudyState.OPEN:
        raise RemediableError(
            f"The study “{study.name}” is {study.state}.", remedy="Open the study first."
        )
    if not study.readers.filter(is_simulated=True).exists():
        raise RemediableError(
            f"The study “{study.name}” has no simulated reader.",
            remedy="Design a study for simulated readers; they are not mixed with people.",
        )
    for reader in study.readers.filter(is_simulated=True):
        pass_by_reference(study, reader)
    eyes = Eyes.for_study(study, seed=seed, marks=marks)
    if is_flipped:
        eyes = replace(eyes, tastes={pk: SCORE_MAX - taste for pk, taste in eyes.tastes.items()})
    count = 0
    for slot in _claimed_in_turn(study) if study.is_pool else _assigned(study):
        eyes.read(slot)
        count += 1
    return count


def _assigned(study: Study) -> Iterator[Slot]:
    slots = Slot.objects.filter(study=study, reader__is_simulated=True).ready().unread()
    yield from slots.select_related("reader", "case", "study").iterator()


def _claimed_in_turn(study: Study) -> Iterator[Slot]:
    """Yields one case a reader and round, until none of them finds another."""
    readers = list(study.readers.filter(is_simulated=True).order_by("pk"))
    while readers:
        for reader in list(readers):
            slot = claim(study, reader)
            if slot is None:
                readers.remove(reader)
            else:
                yield slot


def tastes_of(study: Study) -> dict[UUID, float]:
    """Returns the readers' taste of every image of a study, 0 to 5."""
    images = Image.objects.filter(case__study=study).select_related("blob").distinct()
    return {image.pk: readers_taste(seen(image)) for image in images}


@dataclass(frozen=True)
class Eyes:
    """What simulated readers perceive of a study's images: their taste, and hints of the source.

    ``synthetic`` are the ids of the images that are; nothing but ``Temperament.suspect``
    uses it, which makes no more of it than ``D_PRIME`` says. ``hand`` marks what hurts.
    """

    tastes: Mapping[UUID, float]
    synthetic: frozenset[UUID]
    seed: int
    hand: Hand | None = None

    @classmethod
    def for_study(cls, study: Study, *, seed: int, marks: bool = False) -> "Eyes":
        made = Candidate.objects.filter(image__case__study=study).values_list("image", flat=True)
        return cls(
            tastes=tastes_of(study),
            synthetic=frozenset(made),
            seed=seed,
            hand=Hand.for_study(study, seed=seed) if marks else None,
        )

    def read(self, slot: Slot) -> None:
        """Submit a simulated reader's reading of one slot.

        Every criterion is judged by the same taste, each with noise of its own. All of it
        follows from the seed, the reader's name, the case's position, and which reading of
        the case it is; a slot read twice keeps its one reading.
        """
        assert slot.reader is not None
        temperament = Temperament.of(slot.reader, seed=self.seed)
        rng = Random(f"{self.seed}:{slot.reader.username}:{slot.case.position}{_which(slot)}")
        scores: list[GivenScore] = []
        choices: list[GivenChoice] = []
        criteria = slot.criteria()
        images = slot.images_in_order()
        places = {position: place for place, position in enumerate(slot.image_order)}
        scores_of = {CriterionKind.ORDINAL, CriterionKind.CONFIDENCE}
        scales = [each for each in criteria if each.kind in scores_of]
        for position in sorted(places):
            image = images[places[position]]
            for criterion in scales:
                value = (
                    temperament.suspect(rng, is_synthetic=image.pk in self.synthetic)
                    if criterion.kind == CriterionKind.CONFIDENCE
                    else temperament.score(self.tastes[image.pk], rng)
                )
                scores.append(GivenScore(places[position], criterion.slug, value))
        for criterion in criteria:
            if criterion.kind == CriterionKind.COMPARISON:
                first, second = (self.tastes[images[places[position]].pk] for position in (0, 1))
                better, verdict, strength = temperament.compare(first, second, rng)
                place = None if better is None else places[better]
                choices.append(GivenChoice(criterion.slug, verdict, place, strength))
        reported = read_reports(
            slot, leniency=temperament.leniency, noise=temperament.noise, rng=rng
        )
        submit(
            slot=slot,
            reader=slot.reader,
            idempotency_key=uuid.uuid5(slot.pk, f"simulated reading, seed {self.seed}"),
            scores=scores,
            choices=choices,
            flags=self.hand.flags(slot, disliked(scores, choices)) if self.hand else (),
            report=reported.report,
            preferences=reported.preferences,
            active_ms=reported.active_ms,
            comment=SIMULATED_REASON if slot.phase == Phase.FINAL else "",
        )


def _which(slot: Slot) -> str:
    """Returns nothing for the first reading of a case; what tells the others apart."""
    is_first = slot.repetition == 0 and slot.phase != Phase.AWARE
    return "" if is_first else f":{slot.repetition}:{slot.phase}"

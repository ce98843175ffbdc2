"""Simulated readers: marked, reproducible, and each with a taste of their own strictness."""

from collections import Counter
from collections.abc import Callable
from random import Random
from statistics import NormalDist
from uuid import UUID

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db.models import Avg
from sklearn.metrics import roc_auc_score

from feedback_app.accounts.models import User
from feedback_app.images.models import Batch
from feedback_app.readings.models import Choice, Flag, Reading, Score
from feedback_app.rehearsal.simulation import (
    D_PRIME,
    Temperament,
    simulate_readings,
    simulated_readers,
    staff_and_open,
    tastes_of,
)
from feedback_app.studies.models import Phase, Study
from feedback_app.studies.services import add_cases_from_batch, create_study, open_study
from generation.errors import RemediableError
from generation.measures.appearance import lung_fields
from generation.rewards.tastes import where_it_hurts
from tests.readings.rooms import assign, make_room, pool, real, synthetic


@pytest.fixture
def draft(make_batch: Callable[..., Batch]) -> Study:
    study = create_study(name="Simulated", shuffle_seed=1)
    add_cases_from_batch(study, make_batch())
    return study


def scores_of(study: Study) -> list[tuple[str, int, UUID, str, int]]:
    rows = Score.objects.filter(reading__slot__study=study).order_by(
        "reading__reader__username", "reading__slot__case__position", "image_id", "criterion_id"
    )
    return list(
        rows.values_list(
            "reading__reader__username",
            "reading__slot__case__position",
            "image_id",
            "criterion__slug",
            "value",
        )
    )


def test_they_read_every_slot_once_and_are_marked(draft: Study) -> None:
    study = staff_and_open(draft, reader_count=3)
    assert simulate_readings(study) == 6
    assert simulate_readings(study) == 0
    assert Reading.objects.filter(is_simulated=True).count() == 6
    assert set(study.readers.values_list("username", "is_simulated")) == {
        (f"simulated-{number}", True) for number in (1, 2, 3)
    }


def test_the_same_seed_gives_the_same_scores_and_another_seed_others(
    draft: Study, make_batch: Callable[..., Batch]
) -> None:
    study = staff_and_open(draft, reader_count=2)
    simulate_readings(study, seed=4)
    first = scores_of(study)
    others = {}
    for seed, name in ((4, "Again"), (5, "Other seed")):
        again = create_study(name=name, shuffle_seed=9)
        add_cases_from_batch(again, study_batch(study))
        again = staff_and_open(again, reader_count=2)
        simulate_readings(again, seed=seed)
        others[seed] = scores_of(again)
    assert others[4] == first
    assert others[5] != first


def study_batch(study: Study) -> Batch:
    image = study.cases.all()[0].images.all()[0]
    batch: Batch = image.candidate.recipe.batches.get()
    return batch


def test_a_lenient_reader_scores_higher_and_scores_stay_on_the_scale() -> None:
    strict, lenient = Temperament(leniency=-1, noise=0), Temperament(leniency=1, noise=0)
    assert (strict.score(3.2, Random(0)), lenient.score(3.2, Random(0))) == (2, 4)
    assert (strict.score(0.1, Random(0)), lenient.score(4.9, Random(0))) == (0, 5)


def test_scores_follow_the_taste(draft: Study) -> None:
    study = staff_and_open(draft, reader_count=3)
    tastes = tastes_of(study)
    assert all(0 <= taste <= 5 for taste in tastes.values())
    simulate_readings(study)
    for reader in study.readers.all():
        leniency = Temperament.of(reader, seed=0).leniency
        for score in Score.objects.filter(reading__reader=reader):
            assert abs(score.value - tastes[score.image_id] - leniency) < 3


@pytest.fixture
def robots(db: None) -> list[User]:
    return simulated_readers(3)


def test_they_share_a_pool(robots: list[User]) -> None:
    study = pool(*robots, cases=6, overlap=2)
    assert simulate_readings(study) == 12
    per_reader = Counter(Reading.objects.values_list("reader__username", flat=True))
    assert all(3 <= count <= 5 for count in per_reader.values())
    assert simulate_readings(study) == 0


def test_they_choose_what_they_like_better(robots: list[User]) -> None:
    cases = [[synthetic(2 * n), synthetic(2 * n + 1)] for n in range(4)]
    study = make_room("compare", *robots, cases=cases)
    for robot in robots:
        assign(study, robot)
    assert simulate_readings(study) == 12
    assert Choice.objects.count() == 24
    assert set(Choice.objects.values_list("reading__is_simulated", flat=True)) == {True}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (3.0, 3.5, (1, "better", 1)),
        (4.5, 3.0, (0, "better", 2)),
        (4.5, 1.0, (0, "better", 3)),
        (3.0, 3.2, (None, "equal", None)),
        (0.5, 0.9, (None, "both_bad", None)),
    ],
)
def test_a_choice_follows_from_the_difference_of_tastes(
    first: float, second: float, expected: tuple[int | None, str, int | None]
) -> None:
    steady = Temperament(leniency=0, noise=0)
    assert steady.compare(first, second, Random(0)) == expected


def test_a_lenient_reader_prefers_like_a_strict_one_and_finds_less_bad() -> None:
    lenient = Temperament(leniency=1, noise=0)
    assert lenient.compare(3.0, 3.5, Random(0)) == (1, "better", 1)
    assert lenient.compare(0.5, 0.9, Random(0)) == (1, "better", 1)


def test_they_tell_synthetic_from_real_as_well_as_their_d_prime_says() -> None:
    robot = Temperament(leniency=0, noise=0)
    rng = Random(1)
    synthetic_ones = [robot.suspect(rng, is_synthetic=True) for _ in range(4_000)]
    real_ones = [robot.suspect(rng, is_synthetic=False) for _ in range(4_000)]
    truth = [1] * 4_000 + [0] * 4_000
    area = roc_auc_score(truth, synthetic_ones + real_ones)
    assert set(synthetic_ones) == set(real_ones) == {0, 1, 2, 3, 4}
    assert area == pytest.approx(NormalDist().cdf(D_PRIME / 2**0.5), abs=0.02)


def test_they_read_both_phases(robots: list[User]) -> None:
    cases = [[real(n) if n % 2 else synthetic(50 + n)] for n in range(4)]
    study = make_room("real_or_synthetic", *robots, cases=cases, has_phases=True)
    for robot in robots:
        assign(study, robot, phases=[Phase.UNAWARE, Phase.AWARE])
    assert simulate_readings(study) == 24
    assert set(Score.objects.values_list("criterion__slug", "reading__slot__phase")) == {
        ("realism", Phase.UNAWARE),
        ("source", Phase.AWARE),
    }


def test_nobody_can_log_in_as_a_simulated_reader(db: None) -> None:
    assert not simulated_readers(1)[0].has_usable_password()


def test_a_person_of_that_name_is_not_taken_for_one(db: None) -> None:
    User.objects.create_user("simulated-1")
    with pytest.raises(RemediableError, match="simulated-1 is a person"):
        simulated_readers(1)


def test_a_study_of_people_is_left_alone(draft: Study, rosa: User) -> None:
    draft.readers.set([rosa])
    with pytest.raises(RemediableError, match="no simulated reader"):
        simulate_readings(open_study(draft))
    assert not Reading.objects.exists()


def test_the_command_opens_a_draft_and_reads_it(
    draft: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("simulate_readings", "Simulated", "--readers", "2")
    assert "4 simulated readings" in capsys.readouterr().out
    call_command("simulate_readings", str(draft.pk))
    assert "0 simulated readings" in capsys.readouterr().out


def test_the_command_names_a_study_that_is_not_there(db: None) -> None:
    with pytest.raises(CommandError, match="no study “Nothing”"):
        call_command("simulate_readings", "Nothing")


def test_with_marks_they_flag_what_they_scored_low_and_score_as_without(draft: Study) -> None:
    """Regions lie on the image; what was liked bears none; a second go adds nothing."""
    study = staff_and_open(draft, reader_count=3)
    assert simulate_readings(study, marks=True) == 6
    flags = Flag.objects.filter(reading__slot__study=study).prefetch_related("regions", "image")
    flagged = {(flag.reading_id, flag.image_id) for flag in flags}
    low = {
        (reading, image)
        for reading, image, value in Score.objects.filter(reading__slot__study=study)
        .values_list("reading", "image")
        .annotate(Avg("value"))
        if value < 2.5
    }
    assert flagged == low
    assert flagged
    for flag in flags:
        assert len(flag.regions.all()) == 2
        for region in flag.regions.all():
            (left, top), (right, bottom) = region.points
            assert 0 <= left < right <= flag.image.width
            assert 0 <= top < bottom <= flag.image.height


@pytest.mark.parametrize("place", [(38, 40), (82, 44)])
def test_a_bright_patch_in_a_lung_is_what_hurts(place: tuple[int, int]) -> None:
    image = np.full((128, 128), 0.7)
    image[lung_fields()] = 0.3
    left, top = place
    image[top : top + 16, left : left + 12] = 1.0
    (x, y, right, bottom), _ = where_it_hurts(image)
    assert x * 128 <= left
    assert y * 128 <= top + 8
    assert right * 128 >= left + 12
    assert bottom * 128 >= top + 16

"""Simulated readers: marked, reproducible, and each with a taste of their own strictness."""

from collections.abc import Callable
from random import Random

import pytest
from django.core.management import CommandError, call_command

from feedback_app.accounts.models import User
from feedback_app.readings.models import Reading, Score
from feedback_app.readings.simulation import (
    Temperament,
    simulate_readings,
    simulated_readers,
    staff_and_open,
    tastes_of,
)
from feedback_app.studies.models import Study
from feedback_app.studies.services import add_cases_from_batch, create_study, open_study
from generation.errors import RemediableError
from tests.finetuning.conftest import base as base  # noqa: PLC0414
from tests.finetuning.conftest import make_batch as make_batch  # noqa: PLC0414


@pytest.fixture
def draft(make_batch: Callable[..., object]) -> Study:
    study = create_study(name="Simulated", shuffle_seed=1)
    add_cases_from_batch(study, make_batch())  # type: ignore[arg-type]
    return study


def scores_of(study: Study) -> list[tuple[str, int, int, str, int]]:
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
    draft: Study, make_batch: Callable[..., object]
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


def study_batch(study: Study) -> object:
    image = study.cases.first().images.first()  # type: ignore[union-attr]
    return image.candidate.recipe.batches.get()  # type: ignore[union-attr]


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

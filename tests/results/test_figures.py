"""From rows of readings to figures: what counts, what is left out, what stays hidden."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.rehearsal.simulation import simulated_readers
from feedback_app.results.figures import figures_of
from feedback_app.results.images import results_of
from feedback_app.results.tables import signed, table_of
from feedback_app.studies.models import GoldAnswer, Study
from tests.readings.filling import (
    add_case,
    candidate,
    empty_study,
    rated_study,
    read,
    real_image,
)

pytestmark = pytest.mark.django_db
NAN = np.nan


def unblind(study: Study) -> None:
    study.unblinded_at = timezone.now()
    study.save()


def test_scores_become_a_table_of_images_and_readers(rosa: User, ravi: User) -> None:
    table = table_of(rated_study(rosa, ravi, scores=np.array([[1, 2], [NAN, 3], [4, NAN]])))
    assert table.readers == ("Ravi", "Rosa")
    np.testing.assert_array_equal(table.matrix("realism"), [[2, 1], [3, NAN], [NAN, 4]])


def test_a_revision_takes_the_place_of_what_was_read_before(rosa: User) -> None:
    study = empty_study(rosa)
    case = add_case(study, candidate(0))
    read(case, rosa, scores={"realism": [1]}, seconds=30)
    read(case, rosa, scores={"realism": [5]}, revision=2, seconds=2)
    table = table_of(study)
    assert table.matrix("realism").tolist() == [[5]]
    assert table.readings.seconds.tolist() == [30]


def test_a_skip_takes_its_scores_back(rosa: User) -> None:
    study = empty_study(rosa)
    case = add_case(study, candidate(0))
    read(case, rosa, scores={"realism": [1]})
    read(case, rosa, revision=2, skip_reason="technical")
    figures = figures_of(study)
    assert figures.reading_count == 0
    assert figures.scores[0].answered == 0
    assert (figures.paces[0].read, figures.paces[0].skipped) == (0, 1)
    assert results_of(study).overall == (None,)


def test_a_repeat_counts_for_the_reader_alone(rosa: User, ravi: User) -> None:
    study = rated_study(rosa, ravi, scores=np.array([[1, 1], [3, 2], [4, 4]]))
    before = figures_of(study).scores[0]
    for case, value in zip(study.cases.all(), (2, 3, 5), strict=True):  # 1, 3, 4 at first
        read(case, rosa, scores={"realism": [value]}, repetition=1)
    after = figures_of(study).scores[0]
    assert after.agreement.alpha.value == before.agreement.alpha.value
    assert after.agreement.alpha.count == 3
    np.testing.assert_array_equal(after.counts, before.counts)
    assert not before.retest.mean_difference.is_known
    assert after.retest.mean_difference.value == pytest.approx(2 / 3)
    assert [one.mean_difference.count for one in after.retest_by_reader] == [0, 3]


def test_a_repeat_without_its_first_reading_is_left_out(rosa: User) -> None:
    study = empty_study(rosa)
    case = add_case(study, candidate(0))
    read(case, rosa, repetition=1, scores={"realism": [3]})
    assert not figures_of(study).scores[0].retest.mean_difference.is_known


def test_simulated_readings_are_not_mixed_with_those_of_people(rosa: User) -> None:
    (simulated,) = simulated_readers(1)
    study = rated_study(rosa, simulated, scores=np.array([[1, 5], [2, 5]]))
    figures = figures_of(study)
    assert figures.readers == ("Rosa",)
    assert (figures.is_simulated, figures.left_out) == (False, 2)
    assert results_of(study).overall == (1.5,)


def test_a_study_of_simulated_readers_says_so() -> None:
    first, second = simulated_readers(2)
    figures = figures_of(rated_study(first, second, scores=np.array([[1, 2], [2, 2]])))
    assert figures.is_simulated
    assert figures.scores[0].shared == 2


def test_phases_are_questions_of_their_own(rosa: User, ravi: User) -> None:
    study = empty_study(rosa, ravi, mode="real_or_synthetic", has_phases=True)
    for number, image in enumerate([candidate(0), real_image(1), candidate(2), real_image(3)]):
        case = add_case(study, image)
        for reader in (rosa, ravi):
            read(case, reader, phase="unaware", scores={"realism": [number]})
            read(case, reader, phase="aware", scores={"source": [4 - number]})
    scores = {one.question.slug: one for one in figures_of(study).scores}
    assert scores["realism"].counts.sum(axis=1).tolist() == [4, 4]
    assert scores["source"].counts.sum(axis=1).tolist() == [4, 4]
    assert scores["realism"].agreement.alpha.value == 1


def test_who_told_real_from_synthetic_is_told_after_unblinding(rosa: User) -> None:
    study = empty_study(rosa, mode="real_or_synthetic")
    for number in range(6):
        is_synthetic = number % 2 == 0
        case = add_case(study, candidate(number) if is_synthetic else real_image(number))
        read(case, rosa, scores={"realism": [3], "source": [4 if is_synthetic else 1]})
    hidden = figures_of(study)
    assert hidden.detections == ()
    assert hidden.sources == ()
    unblind(study)
    told = figures_of(study)
    assert told.detections[0].overall.accuracy.value == 1
    assert [(one.source.name, one.source.is_synthetic, one.images) for one in told.sources] == [
        ("model-one", True, 3),
        ("cohort-one", False, 3),
    ]


def test_scores_and_flags_by_model_version(rosa: User, ravi: User) -> None:
    """Ravi is two points milder, and read only the images of the second model."""
    study = empty_study(rosa, ravi)
    for number in range(8):
        model = "model-one" if number < 4 else "model-two"
        case = add_case(study, candidate(number, model=model))
        flags = [(0, "flag-0", "major")] if number == 0 else []
        read(case, rosa, scores={"realism": [number % 2 + 1]}, flags=flags)
        if number >= 4:
            read(case, ravi, scores={"realism": [number % 2 + 3]}, flags=[(0, "flag-1", "minor")])
    unblind(study)
    first, second = figures_of(study).sources
    assert first.means[0][1].value == pytest.approx(2.5)
    assert second.means[0][1].value == pytest.approx(2.5)
    assert (first.minor, first.major, first.flags_per_hundred) == (0, 1, 25)
    assert (second.minor, second.major, second.flags_per_hundred) == (4, 0, 50)


def test_gold_answers_are_ranges_of_scores_or_the_better_image(rosa: User) -> None:
    study = empty_study(rosa)
    realism = study.criteria.get()
    for value in (1, 4):
        case = add_case(study, candidate(value), role="gold")
        GoldAnswer.objects.create(
            case=case, criterion=realism, image=case.images.get(), least=0, most=2
        )
        read(case, rosa, scores={"realism": [value]})
    (gold,) = figures_of(study).gold
    assert (gold.overall.value, gold.overall.count) == (0.5, 2)

    compared = empty_study(rosa, mode="compare", name="Compared")
    for number, chosen in ((10, 0), (20, 0), (30, 1)):
        case = add_case(compared, candidate(number), candidate(number + 1), role="gold")
        GoldAnswer.objects.create(
            case=case, criterion=compared.criteria.get(), image=case.case_images.all()[0].image
        )
        read(case, rosa, choices={"better": ("better", chosen, 2)})
    (gold,) = figures_of(compared).gold
    assert gold.by_reader[0].value == pytest.approx(2 / 3)


def test_choices_are_signed_by_the_image_and_its_strength() -> None:
    assert signed("better", 3, is_first=True) == 3
    assert signed("better", 2, is_first=False) == -2
    assert signed("equal", None, is_first=False) == 0


def test_comparisons_by_side_and_by_model(rosa: User, ravi: User) -> None:
    study = empty_study(rosa, ravi, mode="compare")
    for number in range(10):
        images = candidate(2 * number, model="old"), candidate(2 * number + 1, model="new")
        case = add_case(study, *images)
        for reader in (rosa, ravi):
            choice = ("equal", None, None) if number == 0 else ("better", 1, 2)
            read(case, reader, choices={"better": choice}, flipped=number % 3 == 0)
    figures = figures_of(study)
    (choices,) = figures.choices
    assert (choices.left.wins, choices.left.ties, choices.left.losses) == (6, 2, 12)
    assert (choices.duels, choices.strengths) == ((), ())
    assert figures.scores[0].agreement.alpha.value == 1
    assert figures.scores[0].counts.sum(axis=0).tolist() == [2, 0, 18, 0]
    unblind(study)
    (choices,) = figures_of(study).choices
    (duel,) = choices.duels
    assert (duel.first, duel.second, duel.preference.losses) == ("new", "old", 0)
    assert duel.preference.p_value == pytest.approx(2 / 2**9)
    assert [name for name, _ in choices.strengths[0]] == ["new", "old"]


def test_readers_who_all_prefer_the_second_image_agree(rosa: User, ravi: User) -> None:
    """Their answers hardly vary, and yet they are not alike by chance."""
    study = empty_study(rosa, ravi, mode="compare")
    for number in range(12):
        case = add_case(study, candidate(2 * number), candidate(2 * number + 1))
        for offset, reader in enumerate((rosa, ravi)):
            strength = 3 if (number + 3 * offset) % 6 else 2
            read(case, reader, choices={"better": ("better", 1, strength)})
    assert figures_of(study).scores[0].agreement.alpha.value > 0.8


@pytest.mark.parametrize("mode", ["rate", "real_or_synthetic", "compare"])
def test_a_study_without_readings_has_empty_figures(rosa: User, mode: str) -> None:
    study = empty_study(rosa, mode=mode, unblinded_at=timezone.now())
    figures = figures_of(study)
    assert (figures.readers, figures.reading_count, figures.alarms) == ((), 0, ())
    add_case(study, candidate(0), candidate(1))
    assert figures_of(study).reading_count == 0


def test_constant_scores_of_one_reader_are_no_crash(rosa: User) -> None:
    figures = figures_of(rated_study(rosa, scores=np.full((25, 1), 3.0)))
    assert not figures.scores[0].agreement.alpha.is_known
    assert not figures.scores[0].leniency[0].is_known


# Alarms


def alarms_of(study: Study) -> str:
    return "\n".join(figures_of(study).alarms)


@pytest.fixture
def trio(rosa: User, ravi: User, otto: User) -> tuple[User, User, User]:
    return rosa, ravi, otto


def careful(cases: int, *, readers: int = 3) -> np.ndarray:
    rng = np.random.default_rng(2)
    worth = rng.normal(2.5, 1.2, (cases, 1))
    return np.clip(np.rint(worth + rng.normal(0, 0.5, (cases, readers))), 0, 5)


def test_careful_readers_raise_no_alarm(trio: tuple[User, ...]) -> None:
    assert alarms_of(rated_study(*trio, scores=careful(40))) == ""


def test_a_reader_who_takes_two_seconds_is_asked_about(trio: tuple[User, ...]) -> None:
    study = empty_study(*trio)
    for number, row in enumerate(careful(12)):
        case = add_case(study, candidate(number))
        for reader, value, seconds in zip(trio, row, (2, 20, 25), strict=True):
            read(case, reader, scores={"realism": [int(value)]}, seconds=seconds)
    assert alarms_of(study) == (
        "Rosa reads very fast: 100 % of 12 readings took less than 3 s (median 2.0 s)."
    )


def test_a_reader_at_a_fifth_of_the_others_time_is_asked_about(trio: tuple[User, ...]) -> None:
    study = empty_study(*trio)
    for number, row in enumerate(careful(12)):
        case = add_case(study, candidate(number))
        for reader, value, seconds in zip(trio, row, (5, 24, 26), strict=True):
            read(case, reader, scores={"realism": [int(value)]}, seconds=seconds)
    assert alarms_of(study) == (
        "Rosa reads much faster than the others: median 5.0 s a case, theirs 25.0 s."
    )


def test_unknown_times_raise_no_alarm(trio: tuple[User, ...]) -> None:
    study = empty_study(*trio)
    for number, row in enumerate(careful(12)):
        case = add_case(study, candidate(number))
        for reader, value in zip(trio, row, strict=True):
            read(case, reader, scores={"realism": [int(value)]}, seconds=0)
    assert alarms_of(study) == ""


def test_always_the_same_score_is_asked_about(trio: tuple[User, ...]) -> None:
    scores = careful(20)
    scores[:, 0] = 4
    assert "Rosa gives nearly always the same answer for Realism: 100 % of 20 are alike." in (
        alarms_of(rated_study(*trio, scores=scores))
    )


def test_all_images_of_a_case_alike_is_asked_about(rosa: User) -> None:
    study = empty_study(rosa, mode="rate_k")
    for number in range(20):
        case = add_case(study, candidate(2 * number), candidate(2 * number + 1))
        read(case, rosa, scores={"realism": [number % 5] * 2})
    assert alarms_of(study) == (
        "Rosa scores all images of a case alike for Realism in 100 % of 20 readings."
    )


def test_only_the_reader_who_drifts_is_asked_about(trio: tuple[User, ...]) -> None:
    scores = careful(60)
    scores[:, 0] = np.clip(np.rint(scores[:, 0] + np.linspace(-1, 1, 60)), 0, 5)
    said = alarms_of(rated_study(*trio, scores=scores))
    assert said.startswith("Rosa has become more lenient on Realism: by ")
    assert said.count("\n") == 0


def test_a_study_of_200_cases_takes_few_queries(
    rosa: User, ravi: User, django_assert_max_num_queries: Callable[..., object]
) -> None:
    study = rated_study(rosa, ravi, scores=careful(30, readers=2))
    with django_assert_max_num_queries(15):  # type: ignore[attr-defined]
        figures_of(study)


def test_the_command_says_what_the_page_says_and_writes_its_numbers(
    trio: tuple[User, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rated_study(*trio, scores=careful(20), name="Reported")
    call_command("study_report", "Reported", "--csv", str(tmp_path / "numbers"))
    said = capsys.readouterr().out
    assert "60 readings by 3 readers" in said
    assert "Realism: readers agree" in said
    assert {path.name for path in (tmp_path / "numbers").iterdir()} == {
        "pace.csv",
        *(f"{kind}-realism.csv" for kind in ("scores", "agreement", "leniency", "drift")),
    }

"""Simulated readers of known leniency find the better report better, and equal ones equal."""

import pytest

from feedback_app.images.models import Cohort, CohortImage
from feedback_app.rehearsal.reporting import quality_of
from feedback_app.rehearsal.simulation import simulate_readings, staff_and_open
from feedback_app.results.figures import figures_of
from feedback_app.results.report_parts import report_parts
from feedback_app.studies.drafting import OWN_REPORT
from feedback_app.studies.models import Study
from feedback_app.studies.services import add_cases, bring_in_drafts, design_study
from feedback_app.studies.services.design import Design
from tests.studies.making import make_cohort

pytestmark = pytest.mark.django_db

CASES = 12
KNOWN = "The heart is normal. There is a small left effusion. No fracture is seen."
WITHOUT_EFFUSION = "The heart is normal. No fracture is seen."


@pytest.fixture
def cohort() -> Cohort:
    made = make_cohort(test=CASES)
    made.images.update(source_labels={"Report": KNOWN})
    return made


def bring_in(name: str, text: str) -> str:
    hashes = CohortImage.objects.values_list("image__blob", flat=True)
    bring_in_drafts(name, [f'{{"image": "{one}", "text": "{text}"}}'.encode() for one in hashes])
    return name


def read_by_five(cohort: Cohort, mode: str, *sources: str, undrafted_percent: int = 0) -> Study:
    design = Design(
        name=f"{mode} of {sources}",
        mode=mode,
        real_cohort=cohort,
        cohort_images=CASES,
        draft_sources=sources,
        undrafted_percent=undrafted_percent,
        shuffle_seed=5,
    )
    study = design_study(design)
    assert add_cases(study, []).cases == CASES
    study = staff_and_open(study, reader_count=5)
    assert simulate_readings(study) == 5 * CASES
    study.unblinded_at = study.opened_at
    study.save()
    return study


def test_quality_counts_sentences_and_words() -> None:
    quality = quality_of(WITHOUT_EFFUSION, KNOWN)
    assert (quality.completeness, quality.correctness, quality.conciseness) == (10 / 3, 5, 5)
    assert quality_of(f"{KNOWN} {KNOWN}", KNOWN).conciseness == 2.5


def test_the_better_report_wins_on_its_criterion_and_on_no_other(cohort: Cohort) -> None:
    worse = bring_in("a model", WITHOUT_EFFUSION)
    every = figures_of(read_by_five(cohort, "compare_reports", OWN_REPORT, worse))
    figures = every.reports
    counts = {one.question.slug: one.counts.sum(axis=0).tolist() for one in every.scores}
    assert counts["completeness"][0] == 0
    assert {sum(of) for of in counts.values()} == {5 * CASES}
    duels = {one.question.slug: one.duels[0] for one in figures.preferences}
    assert (duels["completeness"].first, duels["completeness"].second) == (
        "a model",
        "The cohort’s own reports",
    )
    assert duels["completeness"].points.high < -2
    assert duels["completeness"].won.share.value == 0
    assert duels["completeness"].won.p_value < 0.001
    for equal in ("correctness", "conciseness"):
        assert duels[equal].points.low < 0 < duels[equal].points.high
    for one in figures.preferences:
        assert one.left.points.low < 0 < one.left.points.high


def test_a_draft_that_lacks_a_finding_is_corrected_and_saves_time(cohort: Cohort) -> None:
    worse = bring_in("a model", WITHOUT_EFFUSION)
    study = read_by_five(cohort, "write_report", worse, undrafted_percent=50)
    figures = figures_of(study).reports
    every, of_model = figures.drafts
    assert (every.reports, of_model.source) == (30, "a model")
    assert every.accepted.value < 0.5
    assert dict(every.reasons)["Missed finding"] > 15
    assert dict(every.reasons)["False finding"] == 0
    assert figures.time is not None
    assert 0 < figures.time.saved.low < figures.time.saved.value < 1
    names = [part.name for part in report_parts(study, figures)]
    assert names == ["What became of the drafts", "Time a report"]

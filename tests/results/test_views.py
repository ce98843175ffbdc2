"""The results page, its images and its plots, for the whole cast."""

import csv
import io
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable

import numpy as np
import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.local.homes import CHECKOUT
from feedback_app.rehearsal.simulation import simulated_readers
from feedback_app.results import cache as results_cache
from feedback_app.runs.models import Run, State
from feedback_app.runs.services import execute
from feedback_app.studies.models import Study
from tests.readings.filling import (
    add_case,
    candidate,
    empty_study,
    rated_study,
    read,
    real_image,
)

pytestmark = pytest.mark.django_db
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    cache.clear()


@pytest.fixture
def study(rosa: User, ravi: User) -> Study:
    rng = np.random.default_rng(0)
    scores = np.clip(np.rint(rng.normal(2.5, 1.2, (24, 1)) + rng.normal(0, 0.5, (24, 2))), 0, 5)
    return rated_study(rosa, ravi, scores=scores)


def page(client: Client, study: Study, name: str = "results", **query: str) -> str:
    response = client.get(reverse(f"readings:{name}", args=[study.pk]), query)
    assert response.status_code == 200
    return response.content.decode()


def plot_address(study: Study, name: str, form: str = "svg") -> str:
    return reverse("readings:plot", args=[study.pk, name, form])


def test_only_coordinators_see_results(everyone: dict[str, Client], study: Study) -> None:
    addresses = [
        reverse("readings:results", args=[study.pk]),
        reverse("readings:results-page", args=[study.pk]),
        reverse("readings:results-images", args=[study.pk]),
        plot_address(study, "scores-realism"),
        plot_address(study, "scores-realism", "csv"),
    ]
    for address in addresses:
        for name, client in everyone.items():
            status = client.get(address).status_code
            expected = 200 if name in {"cora", "ada"} else 302 if name == "nobody" else 403
            assert status == expected, (name, address)


def test_the_page_says_in_words_how_readers_agree(cora_client: Client, study: Study) -> None:
    said = page(cora_client, study)
    assert "48 readings" in said
    assert "<b>Realism</b>: readers agree" in said
    assert "over 24 shared cases" in said
    assert "No reader is conspicuously" in said


def test_every_plot_on_the_page_can_be_had_as_svg_and_csv(
    cora_client: Client, study: Study
) -> None:
    said = page(cora_client, study)
    names = ["pace", *(f"{kind}-realism" for kind in ("scores", "agreement", "leniency", "drift"))]
    for name in names:
        assert f'src="{plot_address(study, name)}?v=' in said
        svg = cora_client.get(plot_address(study, name))
        assert svg["Content-Type"] == "image/svg+xml"
        root = ET.fromstring(svg.content)
        assert "Rosa" in "".join(root.itertext())
        table = cora_client.get(plot_address(study, name, "csv"))
        rows = list(csv.reader(io.StringIO(table.content.decode())))
        assert len(rows) > 1
        assert {len(row) for row in rows} == {len(rows[0])}
        assert table["Content-Disposition"] == f'attachment; filename="{name}.csv"'


def test_a_plot_s_text_is_text_and_its_bytes_are_always_the_same(
    cora_client: Client, study: Study
) -> None:
    address = plot_address(study, "leniency-realism")
    first = cora_client.get(address).content
    cache.clear()
    assert cora_client.get(address).content == first
    words = [element.text for element in ET.fromstring(first).iter(f"{SVG}text")]
    assert {"Ravi", "Rosa"} <= set(words)


def test_the_numbers_of_a_plot_are_those_of_the_readings(
    cora_client: Client, rosa: User, ravi: User
) -> None:
    study = rated_study(rosa, ravi, scores=np.array([[1, 2], [5, 5], [1, 4]]), name="Three")
    table = cora_client.get(plot_address(study, "scores-realism", "csv")).content.decode()
    assert list(csv.reader(io.StringIO(table))) == [
        ["reader", "0", "1", "2", "3", "4", "5"],
        ["All readers", "0", "2", "1", "0", "1", "2"],
        ["Ravi", "0", "0", "1", "0", "1", "1"],
        ["Rosa", "0", "2", "0", "0", "0", "1"],
    ]


def test_a_name_is_no_formula_in_a_spreadsheet(cora_client: Client, rosa: User) -> None:
    rosa.first_name = "=1+1"
    rosa.save()
    study = rated_study(rosa, scores=np.array([[1.0], [2.0]]), name="Formula")
    table = cora_client.get(plot_address(study, "scores-realism", "csv")).content.decode()
    assert "'=1+1" in table


def test_a_plot_that_is_not_there_is_not_found(cora_client: Client, study: Study) -> None:
    for name, form in (("nothing", "svg"), ("scores-other", "svg"), ("pace", "png")):
        assert cora_client.get(plot_address(study, name, form)).status_code == 404


def test_what_was_seen_is_not_sent_again(cora_client: Client, study: Study, rosa: User) -> None:
    address = reverse("readings:results", args=[study.pk])
    seen = results_cache.state_of(study)
    assert f"?seen={seen}" in page(cora_client, study)
    assert cora_client.get(address, {"seen": seen}).status_code == 204
    read(study.cases.all()[0], rosa, scores={"realism": [0]}, revision=2)
    again = cora_client.get(address, {"seen": seen})
    assert again.status_code == 200
    assert again.content.lstrip().startswith(b'<div id="results-figures"')


def test_a_closed_study_is_not_asked_for_again(cora_client: Client, study: Study) -> None:
    assert 'hx-trigger="every 10s"' in page(cora_client, study)
    Study.objects.update(state="closed")
    assert 'hx-trigger="every 10s"' not in page(cora_client, study)


def test_figures_are_computed_once_for_the_same_readings(
    cora_client: Client, study: Study, django_assert_max_num_queries: Callable[..., object]
) -> None:
    page(cora_client, study)
    with django_assert_max_num_queries(5):  # type: ignore[attr-defined]
        page(cora_client, study)


def test_unblinding_shows_other_figures_at_once(cora_client: Client, study: Study) -> None:
    assert "Figures by model version are told once the study is unblinded." in page(
        cora_client, study
    )
    Study.objects.update(unblinded_at=timezone.now())
    assert "model-one" in page(cora_client, study)


def test_before_unblinding_nothing_tells_real_from_synthetic(
    cora_client: Client, rosa: User
) -> None:
    study = empty_study(rosa, mode="real_or_synthetic")
    for number, image in enumerate([candidate(0), real_image(1), candidate(2), real_image(3)]):
        case = add_case(study, image)
        read(case, rosa, scores={"realism": [3], "source": [number % 5]})
    shown = page(cora_client, study) + page(cora_client, study, "results-images")
    for secret in ("model-one", "cohort-one", "/candidates/", "AUC</th>"):
        assert secret not in shown
    assert "are told once the study is unblinded" in shown
    assert cora_client.get(plot_address(study, "roc-source")).status_code == 404
    Study.objects.update(unblinded_at=timezone.now())
    told = page(cora_client, study) + page(cora_client, study, "results-images")
    for figure in ("model-one", "cohort-one (real)", "AUC</th>", "Equivalent to guessing"):
        assert figure in told
    assert told.count("/candidates/") == 2
    assert cora_client.get(plot_address(study, "roc-source")).status_code == 200


def test_before_unblinding_a_comparison_does_not_tell_which_model_won(
    cora_client: Client, rosa: User
) -> None:
    study = empty_study(rosa, mode="compare")
    for number in range(4):
        case = add_case(
            study,
            candidate(2 * number, model="old-model"),
            candidate(2 * number + 1, model="new-model"),
        )
        read(case, rosa, choices={"better": ("better", 1, 2)}, flipped=number % 2 == 0)
    shown = page(cora_client, study) + page(cora_client, study, "results-images")
    for secret in ("old-model", "new-model", "/candidates/"):
        assert secret not in shown
    assert cora_client.get(plot_address(study, "sides-better")).status_code == 200
    assert cora_client.get(plot_address(study, "preference-better")).status_code == 404
    Study.objects.update(unblinded_at=timezone.now())
    assert "new-model over old-model" in page(cora_client, study)
    assert cora_client.get(plot_address(study, "preference-better")).status_code == 200


def test_a_study_of_simulated_readers_says_so(cora_client: Client) -> None:
    first, second = simulated_readers(2)
    study = rated_study(first, second, scores=np.array([[1, 2], [3, 3]]))
    assert "All of these readings are simulated" in page(cora_client, study)


def test_alarms_stand_on_top(cora_client: Client, rosa: User) -> None:
    study = rated_study(rosa, scores=np.full((20, 1), 4.0), name="Monotonous")
    said = page(cora_client, study)
    assert said.index("Rosa gives nearly always the same answer") < said.index("20 readings")


def test_a_design_without_shared_cases_says_what_to_do(cora_client: Client, rosa: User) -> None:
    study = rated_study(rosa, scores=np.array([[1.0], [3.0]]), name="Alone")
    assert "set shared anchor cases" in page(cora_client, study)
    Study.objects.update(readers_per_case=2)
    assert "as soon as readers meet on the same cases" in " ".join(page(cora_client, study).split())


def test_constant_scores_are_a_dash_with_its_reason(
    cora_client: Client, rosa: User, ravi: User
) -> None:
    said = page(cora_client, rated_study(rosa, ravi, scores=np.full((4, 2), 3.0), name="Same"))
    assert "– all scores are the same, so there is nothing to agree on" in said
    assert ">nan<" not in said


@pytest.mark.parametrize("mode", ["rate", "rate_k", "compare", "real_or_synthetic"])
def test_a_study_without_readings_says_so(cora_client: Client, rosa: User, mode: str) -> None:
    study = empty_study(rosa, mode=mode)
    assert "No reading yet" in page(cora_client, study)
    assert "No reading yet" in page(cora_client, study, "results-page")
    assert "No image yet" in page(cora_client, study, "results-images")


def test_images_have_the_means_of_the_last_revisions_and_their_flags(
    cora_client: Client, rosa: User, ravi: User
) -> None:
    study = empty_study(rosa, ravi, mode="rate_k")
    case = add_case(study, candidate(0), candidate(1))
    read(case, rosa, scores={"realism": [0, 0]})
    read(case, rosa, scores={"realism": [5, 3]}, revision=2)
    read(case, ravi, scores={"realism": [2, 1]}, flags=[(0, "flag-1", "major")])
    said = page(cora_client, study, "results-images")
    assert "3.5</td>" in said
    assert "2.0</td>" in said
    assert "Clavicles (1 major)" in said


def test_images_come_by_pages(cora_client: Client, rosa: User) -> None:
    study = rated_study(rosa, scores=np.full((41, 1), 3.0))
    first, second = (
        page(cora_client, study, "results-images"),
        page(cora_client, study, "results-images", page="2"),
    )
    assert (first.count("<img"), second.count("<img")) == (40, 1)
    assert "1–40 of 41" in first


def test_figures_of_many_readings_are_worked_out_by_a_run(
    cora_client: Client, study: Study, rosa: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results_cache, "READINGS_AT_ONCE", 40)
    assert "are being worked out" in page(cora_client, study)
    run = Run.objects.get(kind="work_out_results")
    assert cora_client.get(plot_address(study, "pace")).status_code == 404
    execute(run.pk)
    assert "48 readings" in page(cora_client, study)
    assert cora_client.get(plot_address(study, "pace")).status_code == 200

    read(add_case(study, candidate(99)), rosa, scores={"realism": [3]})
    told = page(cora_client, study)
    assert "What came in since is being worked out" in told and "48 readings" in told
    execute(Run.objects.get(kind="work_out_results", state=State.QUEUED).pk)
    assert "49 readings" in page(cora_client, study)

    cache.clear()  # as where Redis is away: what the run found is nowhere
    assert "49 readings" in page(cora_client, study)


def test_the_reading_page_s_process_starts_without_plotting_and_statistics() -> None:
    program = """if True:
        import sys
        import django
        django.setup()
        from django.urls import get_resolver
        import feedback_app.api.urls, feedback_app.readings.views
        get_resolver().reverse_dict
        heavy = ("matplotlib", "sklearn", "statsmodels", "scipy", "choix", "krippendorff")
        print(*(name for name in heavy if name in sys.modules))
    """
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=CHECKOUT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "feedback_app.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""

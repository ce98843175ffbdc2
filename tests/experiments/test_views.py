"""Pages of experiments: what they say, and what they do."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import AuditEvent
from feedback_app.curation.models import CuratedSet
from feedback_app.experiments.models import Experiment
from feedback_app.experiments.services.design import design_of
from feedback_app.experiments.services.experiments import create_experiment
from feedback_app.images.models import Cohort, CohortImage
from feedback_app.runs.models import Run, State
from tests.experiments.making import curate, design, fill, make_batch, make_cohort, started

pytestmark = pytest.mark.django_db
OUTSIDERS = {"nobody": 302, "rosa": 403, "ravi": 403, "otto": 403}


@pytest.fixture
def ward() -> Cohort:
    return make_cohort(train=8, validation=2, test=20)


@pytest.fixture
def curated() -> CuratedSet:
    return curate(make_batch(count=16))


@pytest.fixture
def finished(ward: Cohort, curated: CuratedSet) -> Experiment:
    experiment = started(design(ward, curated=curated))
    fill(experiment, gains={"curated": 0.8})
    experiment.refresh_from_db()
    return experiment


def filled(curated: CuratedSet, **changes: Any) -> dict[str, Any]:
    return {
        "name": "Does it help?",
        "task": "classification",
        "cohort": "ward",
        "findings": ["pneumonia"],
        "real_sizes": "4, all",
        "arms": ["real", "curated", "transformed"],
        "source_curated": f"curated_set:{curated.pk}",
        "ratios": "0.5, 1",
        "seed_count": 3,
        "metric": "auroc",
        "primary_arm": "curated",
        "primary_size": "all",
        "primary_ratio": "1",
        "set_network": "tiny",
        "set_precision": "float32",
    } | changes


def text_of(client: Client, name: str, *args: object) -> str:
    return client.get(reverse(f"experiments:{name}", args=args)).content.decode()


def test_a_filled_form_gives_a_draft_and_trains_nothing(
    cora_client: Client, ward: Cohort, curated: CuratedSet
) -> None:
    answer = cora_client.post(reverse("experiments:create"), filled(curated))
    draft = Experiment.objects.get()
    assert answer.headers["Location"] == reverse("experiments:experiment", args=[draft.pk])
    made = design_of(draft)
    assert (made.real_sizes, made.primary.real_size, made.seeds) == ((4, 8), 8, (0, 1, 2))
    assert (made.training["network"], made.training["max_steps"]) == ("tiny", 400)
    page = text_of(cora_client, "experiment", draft.pk)
    assert "Start 30 cells" in page
    assert "an estimate: no such cell was trained here yet" in page
    assert not Run.objects.exists()


def test_a_draft_is_changed_in_the_form_that_it_was_made_in(
    cora_client: Client, ward: Cohort, curated: CuratedSet
) -> None:
    made = create_experiment(
        design(ward, curated=curated, name="First try", seeds=[5, 7], ratios=[1, 1.3333333333])
    )
    address = reverse("experiments:edit", args=[made.pk])
    assert f'href="{address}"' in text_of(cora_client, "experiment", made.pk)
    fields = cora_client.get(address).context["form"]
    sent = {field.html_name: field.value() for field in fields if field.value() is not None}
    cora_client.post(address, sent)
    assert design_of(Experiment.objects.get()) == design_of(made)
    answer = cora_client.post(address, sent | {"name": "Second try", "ratios": "1, 2"})
    assert answer.headers["Location"] == reverse("experiments:experiment", args=[made.pk])
    changed = design_of(Experiment.objects.get())
    assert (changed.name, changed.ratios, changed.seeds) == ("Second try", (1, 2), (5, 7))
    assert changed.sources == design_of(made).sources


def test_what_was_started_or_is_called_like_another_is_not_changed(
    cora_client: Client, ward: Cohort, curated: CuratedSet, finished: Experiment
) -> None:
    settled = reverse("experiments:edit", args=[finished.pk])
    assert cora_client.get(settled).status_code == 302
    cora_client.post(settled, filled(curated, name="Another"))
    finished.refresh_from_db()
    assert finished.name != "Another"
    draft = create_experiment(design(ward, curated=curated, name="A draft"))
    address = reverse("experiments:edit", args=[draft.pk])
    answer = cora_client.post(address, filled(curated, name=finished.name))
    assert "There is an experiment" in answer.content.decode()
    draft.refresh_from_db()
    assert draft.name == "A draft"


def test_starting_is_a_click_and_in_the_audit_log(
    cora_client: Client, ward: Cohort, curated: CuratedSet
) -> None:
    cora_client.post(reverse("experiments:create"), filled(curated))
    draft = Experiment.objects.get()
    cora_client.post(reverse("experiments:start", args=[draft.pk]))
    page = text_of(cora_client, "experiment", draft.pk)
    assert "0 of 30</strong> cells done" in page
    assert "30 waiting" in page
    assert AuditEvent.objects.filter(action="experiment.started").exists()


def test_the_preview_says_grid_cost_and_refusals(
    cora_client: Client, ward: Cohort, curated: CuratedSet
) -> None:
    address = reverse("experiments:preview")
    page = cora_client.post(address, filled(curated)).content.decode()
    assert re.search(r"<strong>30</strong> downstream models", page)
    assert "22 min 30 s" in page
    assert "Regime" in page
    refused = cora_client.post(address, filled(curated, ratios="1, 4")).content.decode()
    assert "8 of pneumonia, 16 needed" in refused
    lacking = cora_client.post(address, filled(curated, real_sizes="four")).content.decode()
    assert "“four” is not a number" in lacking
    assert not Experiment.objects.exists()


def test_what_cannot_be_designed_is_said_at_the_form(
    cora_client: Client, ward: Cohort, curated: CuratedSet
) -> None:
    for changes, complaint in (
        ({"primary_arm": "unfiltered"}, "primary comparison&#x27;s arm is not in the grid"),
        ({"source_curated": ""}, "The arm “Real + curated” needs a curated set as its source"),
        ({"metric": "dice"}, "&#x27;dice&#x27; measures no classification"),
        ({"set_widths": "a, b"}, "“a” is not a number"),
    ):
        answer = cora_client.post(reverse("experiments:create"), filled(curated, **changes))
        assert complaint in answer.content.decode(), complaint
    assert not Experiment.objects.exists()


def test_the_live_page_shows_every_cell_and_what_failed(
    cora_client: Client, ward: Cohort, curated: CuratedSet
) -> None:
    experiment = started(design(ward, curated=curated))
    failed = experiment.cells.for_pages()[0]
    Run.objects.filter(cell=failed).update(
        state=State.FAILED, finished_at=experiment.created_at, error="No luck.", remedy="Retry."
    )
    page = text_of(cora_client, "experiment", experiment.pk)
    assert page.count('class="cell queued" href') == 17
    assert page.count('class="cell failed" href') == 1
    assert "No luck." in page
    assert "hx-trigger" in page
    cora_client.post(reverse("experiments:retry-cell", args=[experiment.pk, failed.pk]))
    assert Run.objects.get(cell=failed).state == State.QUEUED
    for name, state in (("pause", "paused"), ("resume", "started"), ("cancel", "cancelled")):
        cora_client.post(reverse(f"experiments:{name}", args=[experiment.pk]))
        experiment.refresh_from_db()
        assert experiment.state == state


def test_the_report_says_the_primary_comparison_first(
    cora_client: Client, finished: Experiment
) -> None:
    page = text_of(cora_client, "report", finished.pk)
    assert page.index("Primary comparison") < page.index("Against the real images alone")
    assert page.index(">primary</span>") < page.index("Real + curated, 2×, 4 real")
    assert "4 comparisons by Macro F1" in page
    for heading in ("Room for a gain", "Plots", "Subgroups", "What each arm learns from", "Hashes"):
        assert heading in page
    assert page.count("extra data") > 8


def test_the_report_to_keep_stands_alone_and_has_no_real_image(
    ada_client: Client, finished: Experiment
) -> None:
    answer: Any = ada_client.get(reverse("experiments:report-to-keep", args=[finished.pk, "html"]))
    page = b"".join(answer.streaming_content).decode()
    assert "attachment" in answer["Content-Disposition"]
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert page.count("data:image/png;base64") == 12
    assert page.count("<svg") == 5
    real = [str(pk) for pk in CohortImage.objects.values_list("pk", flat=True)]
    assert not [pk for pk in real if pk in page]


def test_the_file_to_run_again_has_design_hashes_and_figures(
    cora_client: Client, finished: Experiment
) -> None:
    answer: Any = cora_client.get(reverse("experiments:report-to-keep", args=[finished.pk, "csv"]))
    table = b"".join(answer.streaming_content).decode().splitlines()
    assert table[0] == "arm,real_images,ratio,seed,image,patient,finding,truth,probability,said"
    assert len(table) == 1 + 20 * finished.cells.done().count()
    answer = cora_client.get(reverse("experiments:report-to-keep", args=[finished.pk, "json"]))
    stored = json.loads(b"".join(answer.streaming_content))
    assert stored["design"]["name"] == "Does it help?"
    assert len(stored["cells"]) == 18
    assert all(len(cell["content_hash"]) == 64 for cell in stored["cells"])
    assert [one["is_primary"] for one in stored["comparisons"]] == [True, False, False, False]
    by_api = cora_client.get(reverse("api:experiment", args=[finished.pk])).json()
    assert by_api["comparisons"] == stored["comparisons"]
    listed = cora_client.get(reverse("api:experiments")).json()["results"]
    assert (listed[0]["cells"], listed[0]["done"]) == (18, 18)


def test_nobody_else_sees_or_changes_anything(
    everyone: dict[str, Client], finished: Experiment
) -> None:
    for name, args in (
        ("list", []),
        ("create", []),
        ("experiment", [finished.pk]),
        ("report", [finished.pk]),
        ("report-to-keep", [finished.pk, "html"]),
    ):
        address = reverse(f"experiments:{name}", args=args)
        assert {who: everyone[who].get(address).status_code for who in OUTSIDERS} == OUTSIDERS
    for name in ("start", "pause", "resume", "cancel", "retry", "delete"):
        address = reverse(f"experiments:{name}", args=[finished.pk])
        assert {who: everyone[who].post(address).status_code for who in OUTSIDERS} == OUTSIDERS
    assert "Experiments" not in everyone["rosa"].get(reverse("readings:worklist")).content.decode()


def test_a_draft_has_no_report_and_goes_away(
    cora_client: Client, ward: Cohort, curated: CuratedSet
) -> None:
    draft = create_experiment(design(ward, curated=curated))
    assert cora_client.get(reverse("experiments:report", args=[draft.pk])).status_code == 404
    page = cora_client.post(reverse("experiments:delete", args=[draft.pk]), follow=True)
    assert "is deleted" in page.content.decode()
    assert not Experiment.objects.exists()

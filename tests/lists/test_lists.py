"""What every list does: it is searched, sorted, kept as a view, and acted on by ticking."""

from copy import deepcopy

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.images.models import Batch
from feedback_app.lists.models import SavedView
from feedback_app.runs.models import Run
from feedback_app.studies.models import StudyState
from tests.world import World

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
LISTS = (
    "studies:list",
    "runs:list",
    "images:batches",
    "images:gallery",
    "models",
    "accounts:people",
)
OUTSIDERS = {"nobody": 302, "rosa": 403, "ravi": 403, "otto": 403}


@pytest.fixture
def world(module_world: World, db: None) -> World:
    return deepcopy(module_world)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_searched_sorted_and_paged_by_its_address(
    ada_client: Client, world: World, name: str
) -> None:
    address = reverse(name)
    page = ada_client.get(address)
    table = page.context["table"]
    for column in table.columns if table else ():
        for sort in (column.name, f"-{column.name}") if column.orderable else ():
            assert ada_client.get(address, {"sort": sort}).status_code == 200, sort
    nothing = ada_client.get(address, {"words": "zzz", "page": "99"}, headers=HTMX)
    said = nothing.content.decode()
    assert "fits this filter" in said
    assert "<html" not in said
    restored = HTMX | {"HX-History-Restore-Request": "true"}
    assert "<html" in ada_client.get(address, headers=restored).content.decode()
    odd = {"state": "no", "version": "x", "page": "x", "sort": "x"}
    assert list(ada_client.get(address, odd).context["page"]) != []


def test_rows_that_are_alike_are_sorted_all_the_same(cora_client: Client, world: World) -> None:
    page = cora_client.get(reverse("studies:list"), {"sort": "-name"})
    names = [row.record.name for row in page.context["page"]]
    assert names == sorted(names, reverse=True)
    assert page.context["table"].data.data.query.order_by == ("-name", "pk")
    assert 'aria-sort="descending"' in page.content.decode()


def test_a_view_is_kept_by_its_owner_alone(
    cora_client: Client, ada_client: Client, world: World, cora: User
) -> None:
    address = f"{reverse('studies:list')}?page=1&state=open&sort=-name&mode="
    cora_client.post(address, {"action": "keep-view", "name": " Open  ones "})
    view = SavedView.objects.get()
    assert (view.owner, view.listing, view.name) == (cora, "studies", "Open ones")
    assert view.query == "sort=-name&state=open"
    page = cora_client.get(f"{reverse('studies:list')}?{view.query}").content.decode()
    assert 'href="?sort=-name&amp;state=open" aria-current="true"' in page
    assert "Open ones" not in ada_client.get(reverse("studies:list")).content.decode()
    ada_client.post(address, {"action": "drop-view", "name": view.name})
    assert SavedView.objects.count() == 1
    cora_client.post(address, {"action": "drop-view", "name": view.name})
    assert not SavedView.objects.exists()
    cora_client.post(address, {"action": "keep-view", "name": "  "})
    assert not SavedView.objects.exists()


def test_columns_are_hidden_for_whoever_hides_them(
    cora_client: Client, ada_client: Client, world: World
) -> None:
    address = reverse("studies:list")
    every = [column.name for column in ada_client.get(address).context["table"].columns]
    shown = [name for name in every if name not in {"name", "mode", "readers"}]
    cora_client.post(address, {"action": "keep-columns", "column": [*shown, "nonsense"]})
    page = cora_client.get(address, {"sort": "mode"})
    assert [column.name for column in page.context["table"].columns] == ["name", *shown]
    assert page.context["columns"][1] == ("mode", "Mode", False)
    assert [column.name for column in ada_client.get(address).context["table"].columns] == every
    cora_client.post(address, {"action": "keep-columns", "column": every})
    assert len(cora_client.get(address).context["table"].columns) == len(every)


def test_what_is_done_to_ticked_rows_is_done_to_each_that_allows_it(
    everyone: dict[str, Client], world: World
) -> None:
    address = reverse("studies:list")
    posted = {"action": "pause", "pick": [str(world.study.pk), str(world.draft.pk)]}
    for who, status in OUTSIDERS.items():
        assert everyone[who].post(address, posted).status_code == status
    answer = everyone["cora"].post(address, posted)
    said = [str(one) for one in get_messages(answer.wsgi_request)]
    assert said == [
        f"The study “{world.draft.name}” is draft. Only an open study is paused.",
        "1 paused.",
    ]
    world.study.refresh_from_db()
    assert world.study.state == StudyState.PAUSED
    everyone["cora"].post(f"{address}?state=paused", {"action": "resume", "all": "yes"})
    world.study.refresh_from_db()
    assert world.study.state == StudyState.OPEN


def test_a_list_refuses_what_it_does_not_know(cora_client: Client, world: World) -> None:
    address = reverse("studies:list")
    nothing = cora_client.post(address, {"action": "close"}, follow=True).content.decode()
    assert "Tick at least one study first" in nothing
    for odd in (
        {"action": "burn", "pick": [str(world.study.pk)]},
        {"action": "close", "pick": "x"},
    ):
        assert cora_client.post(address, odd).status_code == 400


def test_ticked_runs_batches_versions_and_people_are_acted_on(
    cora_client: Client, ada_client: Client, world: World, rosa: User
) -> None:
    run = Run.objects.create(kind="import_cohort", queue="cpu", title="Import")
    cora_client.post(reverse("runs:list"), {"action": "cancel", "pick": [str(run.pk)]})
    run.refresh_from_db()
    assert run.state == "cancelled"
    batch = Batch.objects.first()
    assert batch is not None
    chosen = {"action": "study", "pick": [str(batch.pk)]}
    answer = cora_client.post(reverse("images:batches"), chosen)
    assert answer["Location"] == f"{reverse('studies:create')}?batches={batch.pk}"
    design = cora_client.get(f"{answer['Location']}&batches=x")
    assert list(design.context["form"].initial["batches"]) == [batch]
    one = {"action": "beside", "pick": [str(batch.model_version_id)]}
    assert "Tick two" in cora_client.post(reverse("models"), one, follow=True).content.decode()
    ada_client.post(reverse("accounts:people"), {"action": "deactivate", "pick": [str(rosa.pk)]})
    rosa.refresh_from_db()
    assert not rosa.is_active

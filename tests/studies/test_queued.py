"""Large studies: their slots are written by a run, all of them or none."""

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import AuditEvent, User
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run, State
from feedback_app.runs.progress import Progress, Superseded
from feedback_app.studies import services
from feedback_app.studies import tasks as _handlers  # noqa: F401  a worker imports them too
from feedback_app.studies.models import Allocation, Slot, Study, StudyState
from feedback_app.studies.services import Design, cases, queued, writing
from feedback_app.studies.tasks import open_by_run
from generation.errors import RemediableError
from tests.studies.making import make_batch

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten slots are many, and ten images."""
    monkeypatch.setattr(queued, "SLOTS_AT_ONCE", 9)
    monkeypatch.setattr(queued, "IMAGES_AT_ONCE", 9)
    monkeypatch.setattr(writing, "ROWS_AT_ONCE", 4)


def _draft(*readers: User, **changes: object) -> Study:
    """A draft of a pool of 10 cases, unless told otherwise."""
    given = {"allocation": Allocation.POOL} | changes
    design = Design(name="November", mode="rate", readers=readers, shuffle_seed=7, **given)  # type: ignore[arg-type]
    study = services.design_study(design)
    services.add_cases(study, [make_batch(prompts=2, each=5)])
    return study


def _run_of(study: Study) -> Run:
    study.refresh_from_db()
    assert study.slots_run is not None
    return study.slots_run


def test_a_large_study_opens_by_a_run_and_is_a_draft_until_then(rosa: User, cora: User) -> None:
    study = services.begin_opening(_draft(rosa), actor=cora)
    run = _run_of(study)
    assert (run.queue, run.total, run.created_by) == ("cpu", 10, cora)
    assert (study.state, study.shown_state, study.slots.count()) == (StudyState.DRAFT, "opening", 0)
    done = runs.execute(run.pk)
    assert done is not None
    assert (done.state, done.done, done.result) == (
        State.SUCCEEDED,
        10,
        {"study": "November", "slots": 10},
    )
    study.refresh_from_db()
    assert (study.shown_state, study.slots.count()) == ("open", 10)
    assert AuditEvent.objects.get(action="study.opened").actor == cora


def test_a_run_writes_the_same_slots_as_a_request(
    rosa: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = make_batch(prompts=2, each=5)
    orders = []
    for name, limit in (("by run", 9), ("at once", 10)):
        monkeypatch.setattr(queued, "SLOTS_AT_ONCE", limit)
        study = services.design_study(
            Design(name=name, mode="rate", readers=(rosa,), shuffle_seed=7)
        )
        services.add_cases(study, [batch])
        study = services.begin_opening(study)
        if study.slots_run:
            runs.execute(study.slots_run.pk)
        slots = Slot.objects.filter(study=study).order_by("position")
        orders.append(list(slots.values_list("case__position", "position", "image_order")))
    assert orders[0] == orders[1]
    assert len(orders[0]) == 10


def test_nothing_changes_a_study_while_a_run_writes_its_slots(rosa: User, ravi: User) -> None:
    study = services.begin_opening(_draft(rosa))
    for change in (
        lambda: services.begin_opening(study),
        lambda: services.delete_draft(study),
        lambda: services.redesign_study(study, Design(name="Other")),
        lambda: services.add_cases(study, []),
        lambda: services.add_readers(study, [ravi]),
        lambda: services.pick_anchors(study, []),
    ):
        with pytest.raises(RemediableError, match="is being opened"):
            change()
    assert Run.objects.count() == 1


def test_a_design_that_cannot_be_opened_starts_no_run(rosa: User) -> None:
    with pytest.raises(RemediableError, match="11 anchors"):
        services.begin_opening(_draft(rosa, anchor_count=11))
    assert not Run.objects.exists()


def test_a_run_that_fails_or_is_cancelled_leaves_the_draft_as_it_was(
    rosa: User, monkeypatch: pytest.MonkeyPatch, cora_client: Client
) -> None:
    study = services.begin_opening(_draft(rosa))

    def fail(slot: object) -> str:
        raise RemediableError("The disk is full.", remedy="Make room.")

    with monkeypatch.context() as broken:
        broken.setattr(writing, "_row", fail)
        failed = runs.execute(_run_of(study).pk)
    assert failed is not None
    assert (failed.state, failed.remedy) == (State.FAILED, "Make room.")
    assert (study.shown_state, study.slots.count()) == ("opening", 0)
    study = Study.objects.get()
    assert (study.shown_state, study.slots.count()) == ("draft", 0)
    page = cora_client.get(reverse("studies:detail", args=[study.pk])).content.decode()
    assert "The disk is full. Make room." in page
    assert runs.retry(failed)
    runs.cancel(failed)
    assert (
        "was cancelled"
        in cora_client.get(reverse("studies:detail", args=[study.pk])).content.decode()
    )
    services.redesign_study(study, Design(name="Other", readers=(rosa,)))


def test_a_worker_that_dies_half_way_leaves_nothing_and_the_next_one_opens(
    rosa: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = services.begin_opening(_draft(rosa))
    run = _run_of(study)

    def die(self: Progress, done: int, **_: object) -> None:
        if done > 4:
            raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(Progress, "update", die)
        with pytest.raises(SystemExit):
            runs.execute(run.pk)
    run.refresh_from_db()
    assert (run.state, Slot.objects.count()) == (State.QUEUED, 0)
    runs.execute(run.pk)
    study.refresh_from_db()
    assert (study.state, Slot.objects.count()) == (StudyState.OPEN, 10)


def test_a_run_that_was_done_already_is_not_done_again(rosa: User) -> None:
    """Its worker died between the commit and its own end."""
    run = _run_of(services.begin_opening(_draft(rosa)))
    with Progress(_claimed(run)) as progress:
        first = open_by_run(progress)
    run.refresh_from_db()
    assert run.state == State.RUNNING
    runs.release(run, why="The worker died")
    again = runs.execute(run.pk)
    assert again is not None
    assert (again.state, again.result) == (State.SUCCEEDED, first)
    assert Slot.objects.count() == 10


def test_a_superseded_attempt_opens_nothing(rosa: User) -> None:
    run = _run_of(services.begin_opening(_draft(rosa)))
    stale = _claimed(run)
    runs.release(stale, why="The worker fell silent")
    fresh = _claimed(run)
    with pytest.raises(Superseded):
        open_by_run(Progress(stale))
    assert Study.objects.get().is_draft
    open_by_run(Progress(fresh))
    assert Study.objects.get().is_open


def test_many_candidates_are_added_by_a_run_while_reading_goes_on(
    rosa: User, ravi: User, cora_client: Client
) -> None:
    study = _draft(rosa, ravi, allocation=Allocation.ASSIGNED)
    services.open_study(study)
    more = make_batch(prompts=2, each=5, name="more", seed=1)
    address = reverse("api:study-add-batches", args=[study.pk])
    answer = cora_client.post(address, {"batches": [str(more.pk)]}, "application/json")
    run = _run_of(study)
    assert (answer.status_code, answer.json()) == (202, {"run": str(run.pk)})
    assert (study.shown_state, study.slots.count()) == ("open", 10)
    page = cora_client.get(reverse("studies:detail", args=[study.pk])).content.decode()
    assert "Adding candidates" in page
    runs.execute(run.pk)
    assert study.slots.count() == 20
    told = cora_client.get(reverse("api:study", args=[study.pk])).json()
    assert told["run"]["result"] == {"cases": 10, "images": 10, "warnings": []}
    page = cora_client.get(reverse("studies:detail", args=[study.pk])).content.decode()
    assert "10 cases of further candidates came in" in page


def test_the_api_and_the_page_tell_of_opening_and_of_its_end(
    rosa: User, cora_client: Client
) -> None:
    study = _draft(rosa)
    answer = cora_client.post(
        reverse("api:study-open", args=[study.pk]), content_type="application/json"
    )
    assert (answer.status_code, answer.json()["state"]) == (202, "opening")
    page = reverse("studies:detail", args=[study.pk])
    assert 'class="badge opening"' in cora_client.get(page).content.decode()
    htmx = {"HX-Request": "true"}
    waiting = cora_client.get(f"{page}?writing", headers=htmx)
    assert "HX-Refresh" not in waiting
    assert "waiting for a worker" in waiting.content.decode()
    edit = cora_client.get(reverse("studies:edit", args=[study.pk]), follow=True)
    assert "its design is fixed" in edit.content.decode()
    runs.execute(_run_of(study).pk)
    assert cora_client.get(f"{page}?writing", headers=htmx)["HX-Refresh"] == "true"
    assert cora_client.get(reverse("api:study", args=[study.pk])).json()["state"] == "open"


def _post_design(client: Client, **changes: object) -> Any:
    body = {"name": "November", "mode": "rate", "readers": ["rosa"], "shuffle_seed": 7} | changes
    return client.post(reverse("api:studies"), body, "application/json")


def test_a_draft_of_many_images_is_filled_by_a_run(rosa: User, cora_client: Client) -> None:
    batch = make_batch(prompts=2, each=5)
    answer = _post_design(cora_client, batches=[str(batch.pk)])
    assert (answer.status_code, answer.json()["state"]) == (202, "filling")
    study = Study.objects.get()
    run = _run_of(study)
    assert (run.queue, run.total, study.cases.count()) == ("cpu", 10, 0)
    page = reverse("studies:detail", args=[study.pk])
    assert "A worker writes out the cases" in cora_client.get(page).content.decode()
    with pytest.raises(RemediableError, match="is being filled"):
        services.begin_opening(study)
    done = runs.execute(run.pk)
    assert done is not None
    assert (done.state, done.result["cases"]) == (State.SUCCEEDED, 10)
    study.refresh_from_db()
    assert (study.shown_state, study.cases.count()) == ("draft", 10)
    prompts = list(study.cases.values_list("prompt", flat=True))
    assert prompts == [f"prompt number {place // 5}" for place in range(10)]


def test_the_form_leaves_many_images_to_a_run_and_knows_them_where_it_failed(
    rosa: User, cora_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = make_batch(prompts=2, each=5)
    services.design_study(Design(name="November", mode="rate", readers=(rosa,)))
    study = Study.objects.get()
    edit = reverse("studies:edit", args=[study.pk])
    form = cora_client.get(edit).context["form"]
    filled = {name: field.value() for name in form.fields if (field := form[name]).value()}
    filled |= {"batches": [str(batch.pk)], "readers": [rosa.pk]}
    _, _, scales = cora_client.get(edit).context["questions"][0]
    for scale in (scales.management_form, *scales.forms):
        filled |= {bound.html_name: bound.value() or "" for bound in scale}
    answer = cora_client.post(edit, filled)
    assert answer.status_code == 302, answer.context["form"].errors
    run = _run_of(study)
    with monkeypatch.context() as broken:
        broken.setattr(cases, "plan_for", lambda *_, **__: 1 / 0)
        runs.execute(run.pk)
    page = cora_client.get(reverse("studies:detail", args=[study.pk])).content.decode()
    assert "Filling it failed" in page
    assert "The draft has no cases" in page
    assert list(cora_client.get(edit).context["form"]["batches"].value()) == [batch.pk]
    again = cora_client.post(edit, filled)
    assert again.status_code == 302
    run.refresh_from_db()
    assert runs.retry(run)
    stale = runs.execute(run.pk)
    assert stale is not None
    assert "has gone on without this run" in stale.error
    runs.execute(_run_of(study).pk)
    assert study.cases.count() == 10


def test_the_command_opens_a_large_study_itself_or_leaves_it_to_a_worker(
    rosa: User, capsys: pytest.CaptureFixture[str]
) -> None:
    study = _draft(rosa)
    call_command("open_study", "November", "--queue")
    run = _run_of(study)
    assert capsys.readouterr().out == f"Queued as run {run.pk}.\n"
    runs.cancel(run)
    call_command("open_study", "November")
    assert capsys.readouterr().out.endswith("November: open, with 10 slots\n")


def _claimed(run: Run) -> Run:
    claimed = runs.claim(run.pk)
    assert claimed is not None
    return claimed

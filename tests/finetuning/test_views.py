"""The learning pages: who may open them, and what they start."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.finetuning.models import FineTune, Schedule, Snapshot
from feedback_app.finetuning.services import start_finetune, take_snapshot
from feedback_app.images.models import ModelVersion
from feedback_app.studies.models import Slot, Study
from tests.finetuning.read_studies import Read

MakeStudy = Callable[..., Study]


@pytest.fixture
def snapshot(make_study: MakeStudy, read: Read, rosa: User) -> Snapshot:
    study = make_study(rosa)
    read(Slot.objects.get(study=study, case__position=0), [5, 4, 2, 0])
    return take_snapshot(name="Monday", simulated=False)


@pytest.fixture
def fine_tune(snapshot: Snapshot, base: ModelVersion) -> FineTune:
    return start_finetune(snapshot=snapshot, parent=base, method="dpo_margin")


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        (who, {"nobody": 302, "rosa": 403, "otto": 403, "cora": 200, "ada": 200})
        for who in (
            "overview",
            "snapshot_new",
            "snapshot",
            "snapshot_file",
            "finetune_new",
            "finetune",
            "schedule_new",
        )
    ],
)
def test_learning_is_for_coordinators_and_admins(
    everyone: dict[str, Client], fine_tune: FineTune, name: str, statuses: dict[str, int]
) -> None:
    args = {
        "snapshot": [fine_tune.snapshot_id],
        "snapshot_file": [fine_tune.snapshot_id],
        "finetune": [fine_tune.pk],
    }.get(name, [])
    address = reverse(f"finetuning:{name}", args=args)
    assert {who: everyone[who].get(address).status_code for who in statuses} == statuses


def test_a_reader_cannot_take_a_snapshot_or_start_anything(
    rosa_client: Client, snapshot: Snapshot
) -> None:
    for name in ("snapshot_new", "finetune_new", "schedule_new"):
        assert rosa_client.post(reverse(f"finetuning:{name}"), {}).status_code == 403
    assert Snapshot.objects.count() == 1


def test_the_overview_counts_new_pairs_and_shows_the_run(
    cora_client: Client, fine_tune: FineTune, read: Read
) -> None:
    read(Slot.objects.get(case__position=1), [5, 0, 0, 0])
    answer = cora_client.get(reverse("finetuning:overview"))
    page = " ".join(answer.content.decode().split())
    assert "<strong>3</strong> new pairs from people" in page
    assert f"progress-{fine_tune.run_id}" in page


def test_a_coordinator_takes_a_snapshot(
    cora_client: Client, cora: User, snapshot: Snapshot
) -> None:
    values = {"name": "Tuesday", "whose": "people"}
    answer = cora_client.post(reverse("finetuning:snapshot_new"), values)
    taken = Snapshot.objects.get(name="Tuesday")
    assert answer["Location"] == reverse("finetuning:snapshot", args=[taken.pk])
    assert (taken.created_by, taken.sha256) == (cora, snapshot.sha256)


def test_a_snapshot_without_pairs_is_refused_with_a_remedy(cora_client: Client) -> None:
    values = {"name": "Empty", "whose": "simulated"}
    page = cora_client.post(reverse("finetuning:snapshot_new"), values)
    assert "nothing to learn from yet in the readings of simulated readers" in page.content.decode()
    assert not Snapshot.objects.exists()


def test_the_file_is_what_was_hashed(cora_client: Client, snapshot: Snapshot) -> None:
    answer = cora_client.get(reverse("finetuning:snapshot_file", args=[snapshot.pk]))
    assert b"".join(answer) == snapshot.blob.read()


def test_a_coordinator_starts_a_fine_tune(
    cora_client: Client, snapshot: Snapshot, base: ModelVersion
) -> None:
    values = {
        "snapshot": snapshot.pk, "parent": base.pk, "method": "dpo_paper", "steps": 7,
        "batch_size": 2, "learning_rate": 1e-4, "beta": 500, "rank": 4,
        "denoising_weight": 0, "seed": 1,
    }  # fmt: skip
    answer = cora_client.post(reverse("finetuning:finetune_new"), values)
    fine_tune = FineTune.objects.get()
    assert answer["Location"] == reverse("finetuning:finetune", args=[fine_tune.pk])
    assert (fine_tune.method, fine_tune.settings["steps"], fine_tune.run.total) == (
        "dpo_paper", 7, 7,
    )  # fmt: skip
    assert "denoising_weight" not in fine_tune.settings
    page = cora_client.get(answer["Location"]).content.decode()
    assert "Rank-weighted DPO" in page
    assert "Hold losers back" in page


def test_the_form_recommends_a_method_and_shows_its_settings_only(
    cora_client: Client, snapshot: Snapshot, base: ModelVersion
) -> None:
    address = reverse("finetuning:finetune_new")
    page = cora_client.get(address).content.decode()
    assert "6 pairs and 4 rated images are too few to train on" in page
    assert 'name="denoising_weight"' in page
    fragment = cora_client.get(
        address, {"snapshot": str(snapshot.pk), "method": "kto"}, headers={"HX-Request": "true"}
    ).content.decode()
    assert "<html" not in fragment
    assert 'name="accepted_from"' in fragment
    assert 'name="denoising_weight"' not in fragment


def test_another_snapshot_has_its_own_recommendation(
    cora_client: Client, snapshot: Snapshot, base: ModelVersion
) -> None:
    fragment = cora_client.get(
        reverse("finetuning:finetune_new"),
        {"snapshot": str(snapshot.pk), "method": "kto"},
        headers={"HX-Request": "true", "HX-Trigger-Name": "snapshot"},
    ).content.decode()
    assert 'name="accepted_from"' not in fragment


def test_settings_left_empty_have_their_defaults(
    cora_client: Client, snapshot: Snapshot, base: ModelVersion
) -> None:
    values = {"snapshot": snapshot.pk, "parent": base.pk, "method": "reward_weighted"}
    cora_client.post(reverse("finetuning:finetune_new"), values)
    settings = FineTune.objects.get().settings
    assert (settings["steps"], settings["temperature"]) == (150, 1.0)


def test_pairs_that_are_not_there_are_said_to_be_missing(
    cora_client: Client, snapshot: Snapshot, base: ModelVersion
) -> None:
    empty = Snapshot.objects.create(name="Ratings only", blob=snapshot.blob)
    values = {"snapshot": empty.pk, "parent": base.pk, "method": "dpo_margin"}
    page = cora_client.post(reverse("finetuning:finetune_new"), values).content.decode()
    assert "holds no pair" in page
    assert not FineTune.objects.exists()


def test_the_curve_of_a_training_is_shown_and_can_be_had(
    cora_client: Client, fine_tune: FineTune
) -> None:
    address = reverse("finetuning:finetune_curve", args=[fine_tune.pk, "svg"])
    assert cora_client.get(address).status_code == 404
    FineTune.objects.update(curve={"step": [1, 2], "loss": [0.7, 0.5], "accuracy": [0.5, 1.0]})
    page = cora_client.get(reverse("finetuning:finetune", args=[fine_tune.pk])).content.decode()
    assert "loss 0.7 to 0.5" in page
    svg = cora_client.get(address)
    assert svg["Content-Type"] == "image/svg+xml"
    assert svg.content.startswith(b"<svg")
    numbers = cora_client.get(reverse("finetuning:finetune_curve", args=[fine_tune.pk, "csv"]))
    assert numbers.content.decode().splitlines() == ["step,loss,accuracy", "1,0.7,0.5", "2,0.5,1.0"]


def test_a_snapshots_page_shows_pairs_and_ratings(cora_client: Client, snapshot: Snapshot) -> None:
    page = cora_client.get(reverse("finetuning:snapshot", args=[snapshot.pk])).content.decode()
    assert "Rated images" in page
    assert "as one reader each saw them" in page


def test_a_learning_rate_of_nothing_is_refused(
    cora_client: Client, snapshot: Snapshot, base: ModelVersion
) -> None:
    values = {
        "snapshot": snapshot.pk, "parent": base.pk, "method": "dpo_margin", "steps": 7,
        "batch_size": 2, "learning_rate": 0, "beta": 500, "rank": 4,
        "denoising_weight": 0, "seed": 1,
    }  # fmt: skip
    page = cora_client.post(reverse("finetuning:finetune_new"), values).content.decode()
    assert "Ensure this value is greater than 0" in page
    assert not FineTune.objects.exists()


def test_a_schedule_is_made_changed_and_switched_off(cora_client: Client) -> None:
    values = {"name": "Nightly", "at": "02:30", "min_new_pairs": 20, "method": "dpo_margin"}
    cora_client.post(reverse("finetuning:schedule_new"), {**values, "is_enabled": "on"})
    schedule = Schedule.objects.get()
    assert schedule.periodic_task.enabled
    address = reverse("finetuning:schedule", args=[schedule.pk])
    assert 'value="02:30"' in cora_client.get(address).content.decode()
    cora_client.post(address, {**values, "min_new_pairs": 30})
    schedule = Schedule.objects.get()
    assert schedule.min_new_pairs == 30
    assert not schedule.periodic_task.enabled


def test_two_schedules_cannot_have_one_name(cora_client: Client) -> None:
    values = {"name": "Nightly", "at": "02:30", "min_new_pairs": 20, "method": "dpo_margin"}
    cora_client.post(reverse("finetuning:schedule_new"), values)
    page = cora_client.post(reverse("finetuning:schedule_new"), values)
    assert "already exists" in page.content.decode()

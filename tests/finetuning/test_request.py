"""A fine-tune is asked for by page and by command: both accept and refuse the same."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.finetuning.models import FineTune, Snapshot
from feedback_app.finetuning.services import take_snapshot
from feedback_app.images.models import ModelVersion
from feedback_app.studies.models import Slot, Study
from tests.finetuning.read_studies import Read

pytestmark = pytest.mark.django_db


@pytest.fixture
def snapshot(make_study: Callable[[User], Study], read: Read, rosa: User) -> Snapshot:
    study = make_study(rosa)
    read(Slot.objects.get(study=study, case__position=0), [5, 4, 2, 0])
    return take_snapshot(name="Monday", simulated=False)


def by_form(client: Client, snapshot: Snapshot, parent: ModelVersion, values: Any) -> bool:
    posted = {"snapshot": snapshot.pk, "parent": parent.pk} | values
    answer = client.post(reverse("finetuning:finetune_new"), posted)
    assert answer.status_code in {200, 302}
    return answer.status_code == 302


def by_command(snapshot: Snapshot, parent: ModelVersion, values: Any) -> bool:
    try:
        call_command("finetune", str(snapshot.pk), parent=parent.name, queue=True, **values)
    except CommandError:
        return False
    return True


@pytest.mark.parametrize(
    ("method", "name", "good", "bad"),
    [
        ("dpo_margin", "steps", [1, 100_000, "7"], [0, 100_001, 1.5, "many"]),
        ("dpo_margin", "batch_size", [1, 1_024], [0, 1_025]),
        ("dpo_margin", "accumulate", [8], [0, 3, 1_025]),
        ("dpo_margin", "learning_rate", [1e-9, 1], [0, -1, "nan", "slow"]),
        ("dpo_margin", "beta", [0.1], [0]),
        ("dpo_margin", "rank", [1, 256], [0, 257]),
        ("dpo_margin", "denoising_weight", [0], [-0.1]),
        ("dpo_margin", "ema_decay", [0, 0.999], [1, -0.1]),
        ("dpo_margin", "precision", ["bfloat16"], ["int4"]),
        ("dpo_margin", "seed", [0, 2**40], [-1]),
        ("kto", "accepted_from", [0, 5], [-0.1, 5.1]),
        ("reward_weighted", "temperature", [0.1], [0]),
        ("draft", "anchor_weight", [0], [-1]),
    ],
)
def test_page_and_command_take_the_same_settings(
    cora_client: Client,
    snapshot: Snapshot,
    base: ModelVersion,
    method: str,
    name: str,
    good: list[Any],
    bad: list[Any],
) -> None:
    for value, is_good in [*((one, True) for one in good), *((one, False) for one in bad)]:
        values = {"method": method, name: value}
        assert by_form(cora_client, snapshot, base, values) == is_good, value
        assert by_command(snapshot, base, values) == is_good, value
        assert FineTune.objects.count() == 2 * is_good
        kept = {str(row.settings[name]) for row in FineTune.objects.all()}
        assert len(kept) == is_good, value
        FineTune.objects.all().delete()


@pytest.mark.parametrize("changes", [{"method": "guess"}, {"method": "kto", "beta": 0}])
def test_neither_way_takes_what_no_method_can_do(
    cora_client: Client, snapshot: Snapshot, base: ModelVersion, changes: dict[str, Any]
) -> None:
    assert not by_form(cora_client, snapshot, base, changes)
    assert not by_command(snapshot, base, changes)
    assert not FineTune.objects.exists()


def test_the_command_names_what_there_is_not(snapshot: Snapshot, base: ModelVersion) -> None:
    for name, options in (
        ("snapshot 'nowhere'", {}),
        ("model version 'nobody'", {"parent": "nobody"}),
        ("cohort 'none'", {"real_cohort": "none"}),
    ):
        subject = "nowhere" if not options else str(snapshot.pk)
        options = {"parent": base.name} | options
        with pytest.raises(CommandError, match=f"no {name}"):
            call_command("finetune", subject, method="dpo_margin", queue=True, **options)

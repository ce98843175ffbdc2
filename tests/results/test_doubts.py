"""What speaks against a study's readings stands on the forms that would learn from them."""

import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.finetuning.services import take_snapshot
from tests.readings.answers import read
from tests.readings.rooms import make_room, synthetic
from tests.studies.making import make_study

pytestmark = pytest.mark.django_db


def test_readers_who_disagree_and_hurry_are_told_of_before_anything_is_learned(
    rosa: User, ravi: User, cora_client: Client
) -> None:
    study = make_study(rosa, ravi, mode="rate", prompts=12, each=1)
    for reader, turn in ((rosa, 0), (ravi, 1)):
        for number, slot in enumerate(study.slots.filter(reader=reader).order_by("case__position")):
            read(slot, value=1 + 3 * ((number + turn) % 2), active_ms=1_000)
    other = make_room("rate", rosa, cases=[[synthetic(1)]], name="Unread")
    address = reverse("readings:results-doubts")
    told = cora_client.get(address, {"studies": [str(study.pk)]}).content.decode()
    assert "Readers hardly agree on Realism: alpha −" in told
    assert "Rosa reads very fast: 100 %" in told
    assert told == cora_client.get(address).content.decode()  # none chosen: all that were read
    assert not cora_client.get(address, {"studies": [str(other.pk)]}).content.strip()
    snapshot = take_snapshot(name="All", studies=[study], simulated=False)
    assert "Realism" in cora_client.get(address, {"snapshot": str(snapshot.pk)}).content.decode()
    for page in ("finetuning:snapshot_new", "finetuning:finetune_new"):
        assert address in cora_client.get(reverse(page)).content.decode()

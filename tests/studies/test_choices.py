"""What forms offer to choose among."""

import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.studies import choices
from feedback_app.studies.change_forms import BatchesForm
from tests.studies.making import make_batch, make_study

pytestmark = pytest.mark.django_db


def test_of_many_batches_the_newest_are_offered_and_others_found(
    cora_client: Client, rosa: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choices, "OFFERED", 1)
    study = make_study(rosa)
    old, chosen, new = (
        make_batch(name=name, prompts=1, each=1, seed=number)
        for number, name in enumerate(("Spring", "Summer", "Autumn"))
    )
    offered = BatchesForm(study=study).fields["batches"].offered  # type: ignore[attr-defined]
    assert [(one.name, one.asked, one.made, one.prompts) for one in offered] == [
        ("Autumn", 1, 1, 1)
    ]
    page = cora_client.get(reverse("studies:create"), {"batches": str(chosen.pk)}).content.decode()
    assert "Find older batches by name" in page
    assert f'value="{chosen.pk}"' in page
    assert f'value="{old.pk}"' not in page
    asked = {"batch_words": "spr", "batches": str(chosen.pk)}
    found = cora_client.get(reverse("studies:offered-batches"), asked).content.decode()
    shown = [batch.name for batch in (old, chosen, new) if f'value="{batch.pk}"' in found]
    assert shown == ["Spring", "Summer"]
    assert BatchesForm({"batches": [old.pk]}, study=study).is_valid()

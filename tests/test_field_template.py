"""One template shows every field; what describes an input can be found by its id."""

import re
from collections import Counter

import pytest
from django import forms
from django.test import Client
from django.urls import reverse

from tests.curation.stage import make_version
from tests.images.masked import make_masked_cohort

pytestmark = pytest.mark.django_db

PAGES = (
    "images:console",
    "images:gallery",
    "images:prompt-set-new",
    "images:register-version",
    "studies:create",
    "experiments:create",
    "finetuning:snapshot_new",
    "finetuning:schedule_new",
    "accounts:add_person",
    "accounts:password",
    "accounts:audit",
    "retractions:new",
)


def described(page: str) -> tuple[set[str], Counter[str]]:
    """The ids that something is described or labelled by, and how often each id is there."""
    wanted = re.findall(r'aria-(?:describedby|labelledby)="([^"]+)"', page)
    return {one for ids in wanted for one in ids.split()}, Counter(
        re.findall(r'\bid="([^"]+)"', page)
    )


@pytest.mark.parametrize("name", PAGES)
def test_whatever_describes_an_input_is_there_once(ada_client: Client, name: str) -> None:
    make_version(is_promoted=True, follows_masks=True)
    make_masked_cohort(train=1)
    for answer in (ada_client.get(reverse(name)), ada_client.post(reverse(name))):
        if answer.status_code not in {200, 400}:
            continue
        wanted, there = described(answer.content.decode())
        assert {one: there[one] for one in wanted if there[one] != 1} == {}


def test_a_field_that_is_wrong_is_described_by_its_help_and_its_errors() -> None:
    class Wish(forms.Form):
        count = forms.IntegerField(help_text="In all")
        kind = forms.ChoiceField(choices=[("a", "A")], widget=forms.RadioSelect, help_text="One")

    form = Wish({"count": "x"})
    count = form["count"].as_field_group()
    assert 'aria-describedby="id_count_helptext id_count_error"' in count
    assert 'aria-invalid="true"' in count
    assert '<div class="help" id="id_count_helptext">In all</div>' in count
    assert re.search(r'id="id_count_error".*Enter a whole number', count, flags=re.DOTALL)
    kind = form["kind"].as_field_group()
    assert 'role="group" aria-labelledby="id_kind_label"' in kind
    assert 'id="id_kind_label">Kind</div>' in kind

"""The coordinator's pages, for the whole cast."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.studies.forms import people
from feedback_app.studies.models import Study, StudyState
from feedback_app.studies.scales import DEFAULT_SCALES
from feedback_app.studies.services import add_cases_from_batch, create_study
from tests.studies.making import make_batch, make_study

pytestmark = pytest.mark.django_db

COORDINATORS = {"cora", "ada"}


def design(**changes: Any) -> dict[str, Any]:
    """What the form posts when nothing but the name was typed."""
    data: dict[str, Any] = {
        "name": "November",
        "mode": "rate_k",
        "readers_per_case": "1",
        "flags": "Clavicles\nHeart outline",
        "scale-TOTAL_FORMS": "4",
        "scale-INITIAL_FORMS": "2",
        "scale-MIN_NUM_FORMS": "0",
        "scale-MAX_NUM_FORMS": "4",
    }
    for number, scale in enumerate(DEFAULT_SCALES):
        data |= {f"scale-{number}-name": scale.name, f"scale-{number}-question": scale.question}
        data |= {f"scale-{number}-anchor_{at}": text for at, text in enumerate(scale.anchors)}
    return data | changes


@pytest.mark.parametrize("page", ["list", "create", "detail", "edit"])
def test_only_coordinators_open_the_pages_of_studies(
    everyone: dict[str, Client], page: str
) -> None:
    study = create_study(name="November")
    args = [study.pk] if page in {"detail", "edit"} else []
    for name, client in everyone.items():
        status = client.get(reverse(f"studies:{page}", args=args)).status_code
        expected = 200 if name in COORDINATORS else 302 if name == "nobody" else 403
        assert status == expected, name


@pytest.mark.parametrize("verb", ["open", "close", "reopen", "preview", "create"])
def test_only_coordinators_change_studies(everyone: dict[str, Client], verb: str) -> None:
    study = create_study(name="November")
    args = [] if verb in {"preview", "create"} else [study.pk]
    for name, client in everyone.items():
        if name in COORDINATORS:
            continue
        response = client.post(reverse(f"studies:{verb}", args=args), design(name="Mine"))
        assert response.status_code == (302 if name == "nobody" else 403), name
    assert Study.objects.count() == 1


def test_opening_and_closing_want_a_post(cora_client: Client) -> None:
    study = create_study(name="November")
    for verb in ("open", "close", "reopen"):
        assert cora_client.get(reverse(f"studies:{verb}", args=[study.pk])).status_code == 405


def test_a_closed_study_is_reopened(cora_client: Client, rosa: User) -> None:
    study = make_study(rosa)
    opened_at = study.opened_at
    for verb, state in (("close", "closed"), ("reopen", "open")):
        page = cora_client.get(reverse("studies:detail", args=[study.pk])).content.decode()
        assert reverse(f"studies:{verb}", args=[study.pk]) in page
        cora_client.post(reverse(f"studies:{verb}", args=[study.pk]))
        study.refresh_from_db()
        assert study.state == state
    assert (study.opened_at, study.slots.count()) == (opened_at, 2)


def test_a_reader_who_cannot_log_in_is_marked_and_opens_no_study(
    cora_client: Client, rosa: User, ravi: User
) -> None:
    watched = make_study(rosa, ravi)
    draft = create_study(name="December", readers=[rosa])
    add_cases_from_batch(draft, make_batch(name="more", seed=1))
    rosa.is_active = False
    rosa.save()
    page = cora_client.get(reverse("studies:detail", args=[watched.pk])).content
    assert page.count(b"cannot log in") == 1
    opened = cora_client.post(reverse("studies:open", args=[draft.pk]), follow=True)
    assert b"Rosa cannot log in any more" in opened.content
    assert not draft.slots.exists()


def test_without_a_study_the_list_says_what_to_do(cora_client: Client) -> None:
    assert b"Design the first study" in cora_client.get(reverse("studies:list")).content


def test_the_list_begins_with_the_newest_study(cora_client: Client, rosa: User) -> None:
    make_study(rosa)
    create_study(name="December")
    page = cora_client.get(reverse("studies:list")).content.decode()
    assert page.index("December") < page.index("November")


def test_a_study_is_designed_and_opened_in_the_browser(cora_client: Client, rosa: User) -> None:
    batch = make_batch()
    posted = design(batches=[str(batch.pk)], readers=[str(rosa.pk)], instructions="Look twice.")
    response = cora_client.post(reverse("studies:create"), posted)
    study = Study.objects.get()
    assert response["Location"] == reverse("studies:detail", args=[study.pk])
    assert (study.cases.count(), study.criteria.count(), study.flag_kinds.count()) == (2, 2, 2)
    cora_client.post(reverse("studies:open", args=[study.pk]))
    study.refresh_from_db()
    assert study.state == StudyState.OPEN
    assert study.slots.filter(reader=rosa).count() == 2


def test_a_third_criterion_can_be_added_and_a_default_left_out(cora_client: Client) -> None:
    third = {"scale-2-name": "Anatomy", "scale-2-question": "Is all there?"}
    third |= {f"scale-2-anchor_{at}": f"anchor {at}" for at in range(6)}
    cora_client.post(reverse("studies:create"), design(**third, **{"scale-1-DELETE": "on"}))
    criteria = Study.objects.get().criteria.all()
    assert [criterion.slug for criterion in criteria] == ["realism", "anatomy"]


def test_a_draft_is_edited_with_what_it_had(cora_client: Client, rosa: User) -> None:
    study = create_study(name="November", readers=[rosa])
    add_cases_from_batch(study, make_batch())
    page = cora_client.get(reverse("studies:edit", args=[study.pk])).content.decode()
    assert page.count("checked") == 4  # mode, batch, reader, allocation
    cora_client.post(reverse("studies:edit", args=[study.pk]), design(name="December"))
    study.refresh_from_db()
    assert (study.name, study.cases.count()) == ("December", 0)


def test_a_mistake_in_the_form_is_named_and_saves_nothing(cora_client: Client) -> None:
    create_study(name="November")
    for posted, words in (
        (design(), b"Another study has this name"),
        (design(name="Two", readers_per_case="0"), b"greater than or equal to 1"),
        (design(name="Two", flags="x" * 65), b"Shorten to 64"),
        (design(name="Two", flags="Ribs\nribs"), b"same short name"),
        (design(name="Two", **{"scale-0-anchor_3": ""}), b"This field is required"),
        (
            design(name="Two", **{"scale-0-DELETE": "on", "scale-1-DELETE": "on"}),
            b"Ask at least one question",
        ),
    ):
        response = cora_client.post(reverse("studies:create"), posted)
        assert response.status_code == 200
        assert words in response.content
    assert Study.objects.count() == 1


def test_the_preview_says_what_is_left_out_and_what_lacks(cora_client: Client) -> None:
    batch = make_batch(prompts=1, each=5)
    posted = design(batches=[str(batch.pk)])
    page = cora_client.post(reverse("studies:preview"), posted).content.decode()
    assert "1 left out: alone" in page
    assert "Choose who shall read." in page


def test_simulated_readers_and_coordinators_cannot_be_chosen(
    cora: User, rosa: User, ravi: User
) -> None:
    User.objects.create_user("robot", is_simulated=True)
    User.objects.create_user("retired", is_active=False)
    assert set(people()) == {rosa, ravi}


def test_simulated_readers_are_marked(cora_client: Client) -> None:
    study = make_study(User.objects.create_user("robot", is_simulated=True))
    for address in (reverse("studies:list"), reverse("studies:detail", args=[study.pk])):
        assert b"simulated" in cora_client.get(address).content


def test_what_cannot_be_done_is_said(cora_client: Client) -> None:
    study = create_study(name="November")
    opened = cora_client.post(reverse("studies:open", args=[study.pk]), follow=True)
    assert b"Choose a batch with images" in opened.content
    closed = cora_client.post(reverse("studies:close", args=[study.pk]), follow=True)
    assert b"Only an open study is closed" in closed.content
    reopened = cora_client.post(reverse("studies:reopen", args=[study.pk]), follow=True)
    assert b"Only a closed study is reopened" in reopened.content


def test_an_opened_study_cannot_be_edited(cora_client: Client, rosa: User) -> None:
    study = make_study(rosa)
    response = cora_client.get(reverse("studies:edit", args=[study.pk]))
    assert response["Location"] == reverse("studies:detail", args=[study.pk])


def test_progress_is_sent_again_only_when_something_was_read(
    cora_client: Client, rosa: User
) -> None:
    study = make_study(rosa)
    address = reverse("studies:detail", args=[study.pk])
    fragment = cora_client.get(address, {"seen": "open-1"}, headers={"HX-Request": "true"})
    assert fragment.status_code == 200
    assert fragment["HX-Trigger"] == "readings-changed"
    assert b"<html" not in fragment.content
    same = cora_client.get(address, {"seen": "open-0"}, headers={"HX-Request": "true"})
    assert same.status_code == 204

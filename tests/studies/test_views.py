"""The coordinator's pages, for the whole cast."""

import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.studies.choices import people
from feedback_app.studies.models import Study, StudyState
from feedback_app.studies.scales import DEFAULT_FLAGS
from feedback_app.studies.services import (
    Design,
    add_cases,
    add_cases_from_batch,
    create_study,
    design_study,
    open_study,
)
from tests.studies.making import make_batch, make_cohort, make_study, posted_design

pytestmark = pytest.mark.django_db

COORDINATORS = {"cora", "ada"}


@pytest.mark.parametrize("page", ["list", "create", "detail", "edit", "cases", "gold"])
def test_only_coordinators_open_the_pages_of_studies(
    everyone: dict[str, Client], page: str
) -> None:
    study = create_study(name="November")
    add_cases_from_batch(study, make_batch())
    args = [] if page in {"list", "create"} else [study.pk]
    args += [study.cases.all()[0].pk] if page == "gold" else []
    for name, client in everyone.items():
        status = client.get(reverse(f"studies:{page}", args=args)).status_code
        expected = 200 if name in COORDINATORS else 302 if name == "nobody" else 403
        assert status == expected, name


VERBS = ("open", "pause", "resume", "close", "reopen", "unblind", "delete")
ADDING = ("add-readers", "add-batches")


@pytest.mark.parametrize("verb", [*VERBS, *ADDING, "anchor", "gold", "preview", "create"])
def test_only_coordinators_change_studies(everyone: dict[str, Client], verb: str) -> None:
    study = create_study(name="November")
    add_cases_from_batch(study, make_batch())
    args = [] if verb in {"preview", "create"} else [study.pk]
    args += [study.cases.all()[0].pk] if verb in {"anchor", "gold"} else []
    for name, client in everyone.items():
        if name in COORDINATORS:
            continue
        response = client.post(reverse(f"studies:{verb}", args=args), posted_design(name="Mine"))
        assert response.status_code == (302 if name == "nobody" else 403), name
    assert Study.objects.count() == 1


def test_every_change_wants_a_post(cora_client: Client) -> None:
    study = create_study(name="November")
    for verb in (*VERBS, *ADDING):
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
    posted = posted_design(
        batches=[str(batch.pk)], readers=[str(rosa.pk)], instructions="Look twice."
    )
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
    cora_client.post(reverse("studies:create"), posted_design(**third, **{"scale-1-DELETE": "on"}))
    criteria = Study.objects.get().criteria.all()
    assert [criterion.slug for criterion in criteria] == ["realism", "anatomy"]


def test_a_draft_is_edited_with_what_it_had(cora_client: Client, rosa: User) -> None:
    study = create_study(name="November", readers=[rosa])
    add_cases_from_batch(study, make_batch())
    page = cora_client.get(reverse("studies:edit", args=[study.pk])).content.decode()
    assert page.count("checked") == 5  # mode, batch, reader, allocation, order
    cora_client.post(reverse("studies:edit", args=[study.pk]), posted_design(name="December"))
    study.refresh_from_db()
    assert (study.name, study.cases.count()) == ("December", 0)


def test_a_mistake_in_the_form_is_named_and_saves_nothing(cora_client: Client) -> None:
    create_study(name="November")
    for posted, words in (
        (posted_design(), b"Another study has this name"),
        (posted_design(name="Two", readers_per_case="0"), b"greater than or equal to 1"),
        (posted_design(name="Two", flags="x" * 65), b"Shorten to 64"),
        (posted_design(name="Two", flags="Ribs\nribs"), b"same short name"),
        (posted_design(name="Two", **{"scale-0-anchor_3": ""}), b"This field is required"),
        (
            posted_design(name="Two", **{"scale-0-DELETE": "on", "scale-1-DELETE": "on"}),
            b"Ask at least one question",
        ),
    ):
        response = cora_client.post(reverse("studies:create"), posted)
        assert response.status_code == 200
        assert words in response.content
    assert Study.objects.count() == 1


def test_the_preview_says_what_is_left_out_and_what_lacks(cora_client: Client) -> None:
    batch = make_batch(prompts=1, each=5)
    posted = posted_design(batches=[str(batch.pk)])
    page = cora_client.post(reverse("studies:preview"), posted).content.decode()
    assert "1 left out: alone" in page
    assert "Choose who shall read." in page


def test_the_preview_says_what_cannot_be_asked_for(cora_client: Client) -> None:
    batch = str(make_batch(prompts=1).pk)
    posted = posted_design(mode="compare", batches=[batch], against=batch, flags="x" * 65)
    page = cora_client.post(reverse("studies:preview"), posted).content.decode()
    assert page.strip() == f'<p class="preview-note">Shorten to 64 characters: {"x" * 65}.</p>'
    posted["flags"] = "Noise"
    page = cora_client.post(reverse("studies:preview"), posted).content.decode()
    assert "Choose another batch than the first one." in page


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


def test_a_comparison_of_two_batches_is_designed_in_the_browser(
    cora_client: Client, rosa: User
) -> None:
    parent = make_batch(name="parent", model="parent")
    child = make_batch(name="child", model="child")
    posted = posted_design(
        mode="compare",
        batches=[str(parent.pk)],
        against=str(child.pk),
        readers=[str(rosa.pk)],
        **{
            "comparison-TOTAL_FORMS": "4",
            "comparison-INITIAL_FORMS": "2",
            "comparison-0-name": "Realism",
            "comparison-0-question": "Which is better?",
            "comparison-1-name": "Fits the prompt",
            "comparison-1-question": "Which fits?",
            "comparison-1-DELETE": "on",
        },
    )
    cora_client.post(reverse("studies:create"), posted)
    study = Study.objects.get()
    assert study.cases.count() == 8
    assert [(each.kind, each.question) for each in study.criteria.all()] == [
        ("comparison", "Which is better?")
    ]
    page = cora_client.get(reverse("studies:edit", args=[study.pk])).content.decode()
    assert f'<option value="{child.pk}" selected>' in page
    posted["against"] = str(parent.pk)
    refused = cora_client.post(reverse("studies:edit", args=[study.pk]), posted)
    assert b"Choose another batch than the first one." in refused.content


def test_real_images_and_phases_are_designed_in_the_browser(
    cora_client: Client, rosa: User
) -> None:
    batch, cohort = make_batch(), make_cohort(test=9)
    posted = posted_design(
        mode="real_or_synthetic",
        batches=[str(batch.pk)],
        readers=[str(rosa.pk)],
        real_cohort=str(cohort.pk),
        real_percent="20",
        has_phases="on",
        flags="\n".join(DEFAULT_FLAGS),
    )
    cora_client.post(reverse("studies:create"), posted)
    study = Study.objects.get()
    assert (study.cases.count(), study.has_phases, study.real_percent) == (10, True, 20)
    assert [each.name for each in study.criteria.all()] == ["Image quality", "Real or synthetic"]
    assert not study.flag_kinds.filter(name="Looks like a copy").exists()
    page = cora_client.get(reverse("studies:detail", args=[study.pk])).content.decode()
    assert "2 of 10 images" in page
    assert "2: unaware, then aware" in page


def test_a_study_in_phases_says_that_it_takes_no_more_cases_before_it_is_tried(
    cora_client: Client, rosa: User
) -> None:
    study = design_study(
        Design(
            name="November",
            mode="real_or_synthetic",
            readers=(rosa,),
            instructions="Tell the fakes.",
            real_cohort=make_cohort(test=9),
            has_phases=True,
        )
    )
    add_cases(study, [make_batch(prompts=1)])
    address = reverse("studies:detail", args=[study.pk])
    draft = cora_client.get(address).content.decode()
    assert "takes no more cases once it is open" in draft
    assert "its instructions say “fakes”" in draft
    open_study(study)
    page = cora_client.get(address).content.decode()
    assert "No candidates can be added" in page
    assert reverse("studies:add-batches", args=[study.pk]) not in page


def test_what_a_mode_does_not_ask_for_is_left_alone(cora_client: Client) -> None:
    posted = posted_design(
        allocation="pool", repeat_percent="20", has_phases="on", images_per_case=""
    )
    cora_client.post(reverse("studies:create"), posted)
    study = Study.objects.get()
    assert (study.repeat_percent, study.has_phases, study.images_per_case) == (0, False, 4)


def test_the_preview_tells_company_repeats_and_hours(
    cora_client: Client, rosa: User, ravi: User
) -> None:
    posted = posted_design(
        batches=[str(make_batch(prompts=10).pk)],
        readers=[str(rosa.pk), str(ravi.pk)],
        readers_per_case="2",
        repeat_percent="10",
        repeat_min_gap="5",
    )
    page = " ".join(cora_client.post(reverse("studies:preview"), posted).content.decode().split())
    # 10 cases and one again for each of two readers, 120 s each: 22 x 2 minutes.
    assert "<dd>share 10 cases</dd>" in page
    assert "<dd>1 a reader</dd>" in page
    assert "<strong>44 min</strong> in all, <strong>22 min</strong> a reader" in page
    assert "assuming 120 s a case" in page
    assert page.count("<img") == 16


def test_the_whole_course_of_a_study_on_its_page(
    cora_client: Client, rosa: User, ravi: User
) -> None:
    study = make_study(rosa)
    more = make_batch(name="more", seed=1)
    for verb, posted, said in (
        ("pause", {}, "is paused"),
        ("resume", {}, "goes on"),
        ("add-readers", {"readers": [ravi.pk]}, "Ravi can read now"),
        ("add-readers", {}, "Choose who shall read too"),
        ("add-batches", {"batches": [more.pk]}, "2 cases were added"),
        ("add-batches", {}, "Choose a batch"),
        ("unblind", {}, "confirm that it shall be unblinded"),
        ("unblind", {"is_confirmed": "on"}, "is unblinded, which has been logged"),
        ("delete", {}, "its design is fixed"),
    ):
        address = reverse(f"studies:{verb}", args=[study.pk])
        page = cora_client.post(address, posted, follow=True).content.decode()
        assert said in page, verb
    study.refresh_from_db()
    assert (study.cases.count(), study.readers.count(), study.is_unblinded) == (4, 2, True)


def test_a_draft_is_deleted_on_its_page(cora_client: Client) -> None:
    study = create_study(name="November")
    page = cora_client.post(reverse("studies:delete", args=[study.pk]), follow=True)
    assert "The draft “November” is gone" in page.content.decode()
    assert not Study.objects.exists()


def test_cases_of_a_draft_are_made_anchors_and_ordinary_again(cora_client: Client) -> None:
    study = create_study(name="November")
    add_cases_from_batch(study, make_batch())
    case = study.cases.all()[0]
    for role in ("anchor", "ordinary"):
        cora_client.post(reverse("studies:anchor", args=[study.pk, case.pk]))
        case.refresh_from_db()
        assert case.role == role


def test_known_answers_are_given_and_taken_back_on_a_page(cora_client: Client) -> None:
    study = create_study(name="November", mode="rate")
    add_cases_from_batch(study, make_batch())
    case = study.cases.all()[0]
    address = reverse("studies:gold", args=[study.pk, case.pk])
    refused = cora_client.post(address, {"realism_0_least": "3", "realism_0_most": "1"})
    assert b"has no answer from 3 to 1" in refused.content
    cora_client.post(address, {"realism_0_least": "0", "realism_0_most": "1"})
    answer = case.gold_answers.get()
    assert (answer.criterion.slug, answer.least, answer.most) == ("realism", 0, 1)
    page = cora_client.get(reverse("studies:cases", args=[study.pk])).content.decode()
    assert "Known answers" in page
    cora_client.post(address, {})
    case.refresh_from_db()
    assert (case.role, case.gold_answers.count()) == ("ordinary", 0)


def test_the_better_image_of_a_comparison_is_known(cora_client: Client) -> None:
    study = create_study(name="November", mode="compare")
    add_cases_from_batch(study, make_batch(prompts=1, each=2))
    case = study.cases.get()
    cora_client.post(reverse("studies:gold", args=[study.pk, case.pk]), {"realism_better": "1"})
    assert case.gold_answers.get().image == case.case_images.all()[1].image


def test_cases_of_an_opened_study_stay_as_they_are(cora_client: Client, rosa: User) -> None:
    study = make_study(rosa)
    case = study.cases.all()[0]
    page = cora_client.get(reverse("studies:cases", args=[study.pk])).content.decode()
    assert "Gold…" not in page
    refused = cora_client.post(reverse("studies:anchor", args=[study.pk, case.pk]), follow=True)
    assert b"its design is fixed" in refused.content

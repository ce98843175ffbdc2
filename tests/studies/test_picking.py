"""Studies of picked candidates, of a sample of batches, and designs that begin with another."""

from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.images.models import Candidate
from feedback_app.studies.choices import batches_of
from feedback_app.studies.models import Study
from feedback_app.studies.planning import (
    CasePlan,
    CasesAdded,
    PlannedCase,
    Sample,
    draw_balanced,
)
from feedback_app.studies.services import add_picked, create_study, open_study
from generation.errors import RemediableError
from tests.studies.making import make_batch, make_study, posted_design

pytestmark = pytest.mark.django_db


def of_prompt(number: int) -> list[str]:
    found = Candidate.objects.filter(recipe__prompt=f"prompt number {number}")
    return [str(pk) for pk in found.order_by("recipe__seed").values_list("pk", flat=True)]


def shown(study: Study) -> list[set[str]]:
    return [
        {str(place.image_id) for place in case.case_images.all()}
        for case in study.cases.order_by("position")
    ]


def test_a_sample_has_as_many_of_each_finding_as_there_are() -> None:
    findings = ("effusion",) * 10 + ("edema",) * 10 + ("nodule",) * 2
    cases = tuple(PlannedCase(images=(uuid4(),), findings=(name,)) for name in findings)
    plan = CasePlan(cases=cases, added=CasesAdded(cases=22, images=22))
    drawn = draw_balanced(plan, Sample(images=12, seed=3))
    assert Counter(case.findings for case in drawn.cases) == {
        ("effusion",): 5,
        ("edema",): 5,
        ("nodule",): 2,
    }
    assert list(drawn.cases) == [case for case in cases if case in drawn.cases]
    assert (drawn.added.cases, drawn.added.images, drawn.added.not_drawn) == (12, 12, 10)
    assert drawn == draw_balanced(plan, Sample(images=12, seed=3))
    assert drawn != draw_balanced(plan, Sample(images=12, seed=4))
    assert draw_balanced(plan, Sample(images=99, seed=3)).cases == cases


def test_picked_candidates_of_two_batches_are_shown_together(
    cora_client: Client, rosa: User
) -> None:
    make_batch(each=2, name="first", seed=1)
    make_batch(each=2, name="second", seed=50)
    picked = of_prompt(0)
    posted = posted_design(
        candidates=" ".join([*picked, "x"]), keeps_candidates="on", readers=[str(rosa.pk)]
    )
    cora_client.post(reverse("studies:create"), posted)
    study = Study.objects.get()
    assert shown(study) == [set(picked)]
    assert [str(key) for key in study.picked] == picked
    assert list(batches_of(study)["batches"]) == []
    page = cora_client.get(reverse("studies:edit", args=[study.pk])).content.decode()
    assert "With 4 candidates picked by hand" in page
    added = add_picked(study, [*study.picked[:1], *Candidate.objects.values_list("pk", flat=True)])
    assert (added.cases, added.images) == (1, 4)
    with pytest.raises(RemediableError, match="no candidate"):
        add_picked(study, [uuid4()])
    open_study(study)
    with pytest.raises(RemediableError, match="design is fixed"):
        add_picked(study, study.picked)


def test_a_sample_of_a_batch_is_drawn_anew_where_the_draft_is_edited(
    cora_client: Client, rosa: User
) -> None:
    batch = make_batch(prompts=4, each=3)
    posted = posted_design(mode="rate", batches=[str(batch.pk)], sample_size="5", shuffle_seed="7")
    cora_client.post(reverse("studies:create"), posted)
    study = Study.objects.get()
    assert len(shown(study)) == 5
    answer = cora_client.get(reverse("api:study", args=[study.pk])).json()
    assert (answer["sample_size"], answer["candidates"]) == (5, [])
    cora_client.post(reverse("studies:edit", args=[study.pk]), posted | {"sample_size": "6"})
    assert len(shown(study)) == 6
    preview = cora_client.post(reverse("studies:preview"), posted).content.decode()
    assert "7 left out: not drawn into the sample" in preview


def test_ticked_candidates_go_into_a_new_study_or_a_draft(cora_client: Client, rosa: User) -> None:
    make_batch(each=2)
    ticked = {"action": "study", "pick": of_prompt(1)}
    answer = cora_client.post(reverse("images:gallery"), ticked)
    assert answer["Location"] == reverse("studies:picked")
    assert "2 candidates picked by hand" in cora_client.get(answer["Location"]).content.decode()
    page = cora_client.get(reverse("studies:create"), {"picked": "yes"}).content.decode()
    assert "With 2 candidates picked by hand" in page
    draft = create_study(name="December", mode="rate_k", readers=[rosa])
    cora_client.post(answer["Location"], {"draft": str(draft.pk)})
    assert shown(draft) == [set(ticked["pick"])]
    assert "Nothing is picked" in cora_client.get(answer["Location"]).content.decode()


def test_a_design_begins_with_another_study_or_a_ready_made_one(
    cora_client: Client, rosa: User
) -> None:
    study = make_study(rosa, mode="rate", name="November")
    study.criteria.filter(slug="realism").update(name="Anatomy", slug="anatomy")
    address = reverse("studies:create")

    def asked(start: str) -> tuple[list[str], dict[str, Any]]:
        context = cora_client.get(address, {"start": start}).context
        (ordinal,) = (forms for kind, _, forms in context["questions"] if kind == "ordinal")
        return [form.initial["name"] for form in ordinal.initial_forms], context["form"].initial

    questions, initial = asked(f"study:{study.pk}")
    assert questions == ["Anatomy", "Fits the prompt"]
    assert (initial["mode"], list(initial["readers"])) == ("rate", [rosa])
    assert "name" not in initial
    assert list(initial["batches"]) == []
    questions, initial = asked(f"criteria:{study.pk}")
    assert questions == ["Anatomy", "Fits the prompt"]
    assert "readers" not in initial
    assert asked("ready:fits-the-mask")[0] == ["Realism", "Fits the mask"]
    for odd in ("", "study:x", f"study:{uuid4()}", "ready:x", f"burn:{study.pk}"):
        assert asked(odd)[0] == ["Realism", "Fits the prompt"]

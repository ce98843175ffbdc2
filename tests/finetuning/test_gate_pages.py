"""The pages of gates, lineage and promotion: who sees what, and what they do."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import AuditEvent, User
from feedback_app.finetuning.gates.people import peoples_word
from feedback_app.finetuning.models import Gate, GateStudy
from feedback_app.finetuning.services import start_finetune, take_snapshot
from feedback_app.images.models import CohortImage, ModelVersion, Promotion, PromotionKind
from feedback_app.provenance.loop import new_pairs, next_step
from feedback_app.studies.models import Slot, Study
from feedback_app.studies.services import close_study
from tests.finetuning.gate_world import asked, child_of, choose, decided
from tests.finetuning.read_studies import Read
from tests.images.cohort_folders import grey, import_folder, lay_out

MakeStudy = Callable[..., Study]
OUTSIDERS = {"nobody": 302, "rosa": 403, "ravi": 403, "otto": 403}


@pytest.fixture
def child(make_study: MakeStudy, read: Read, rosa: User, base: ModelVersion) -> ModelVersion:
    study = make_study(rosa)
    read(Slot.objects.get(study=study, case__position=0), [5, 4, 2, 0])
    snapshot = take_snapshot(name="Monday", simulated=False)
    return child_of(start_finetune(snapshot=snapshot, parent=base, method="dpo_margin"))


@pytest.fixture
def held(child: ModelVersion) -> Gate:
    gate = asked(child)
    decided(gate, judge=None)
    return gate


def page_of(gate: Gate, client: Client) -> str:
    return client.get(reverse("finetuning:gate", args=[gate.pk])).content.decode()


def test_the_page_says_the_verdict_and_its_rules(held: Gate, cora_client: Client) -> None:
    page = page_of(held, cora_client)
    assert "Hold: 1 of" in page
    assert "no reward model is registered" in page
    assert "Overrule the gate" in page
    assert page.count('class="beside"') == 24 + 2


def test_the_start_page_points_to_a_child_that_passed(child: ModelVersion, cora: User) -> None:
    gate = asked(child)
    decided(gate)
    step = next_step(cora, new_pairs=new_pairs())
    assert step is not None
    assert step.url == reverse("finetuning:gate", args=[gate.pk])


def test_while_images_are_made_the_page_says_how_far(
    child: ModelVersion, cora_client: Client
) -> None:
    page = page_of(asked(child), cora_client)
    assert "24 of 24 made" in page
    assert "The verdict comes when" in page


def test_real_images_are_shown_to_admins_only(
    held: Gate, cora_client: Client, ada_client: Client, tmp_path: Path
) -> None:
    lay_out(tmp_path / "ward", {"a.png": grey(1)}, masks={})
    import_folder(tmp_path / "ward", name="ward")
    real = reverse("images:file", args=[CohortImage.objects.get().pk])
    assert real in page_of(held, ada_client)
    assert "not imported: gone" in page_of(held, ada_client)
    assert real not in page_of(held, cora_client)
    assert "0.920" in page_of(held, cora_client)


def test_the_report_to_keep_stands_alone(held: Gate, ada_client: Client) -> None:
    answer: Any = ada_client.get(reverse("finetuning:gate_report", args=[held.pk, "html"]))
    page = b"".join(answer.streaming_content).decode()
    assert "attachment" in answer["Content-Disposition"]
    assert not re.findall(r'(?:src|href)="(?!data:)', page.replace('href="#', ""))
    assert page.count("data:image/png;base64") == 48 + 2
    assert page.count("<svg") == 2
    assert (
        ada_client.get(reverse("finetuning:gate_report", args=[held.pk, "pdf"])).status_code == 404
    )


def test_plots_are_pictures_of_their_own(held: Gate, cora_client: Client) -> None:
    for name, status in (("quality", 200), ("similarity", 200), ("win-rate", 404)):
        address = reverse("finetuning:gate_plot", args=[held.pk, name])
        assert cora_client.get(address).status_code == status


def test_coordinators_promote_and_overrule_with_a_reason(held: Gate, cora_client: Client) -> None:
    address = reverse("finetuning:promote", args=[held.child_id])
    page = cora_client.post(address, follow=True).content.decode()
    assert "says hold" in page
    assert not ModelVersion.objects.get(pk=held.child_id).is_promoted
    page = cora_client.post(address, {"reason": "Readers like it"}, follow=True).content.decode()
    assert "Readers like it" in page
    assert ModelVersion.objects.get(pk=held.child_id).is_promoted
    assert AuditEvent.objects.filter(action="model.overruled").exists()


def test_one_click_goes_back_to_the_version_before(
    held: Gate, base: ModelVersion, cora_client: Client
) -> None:
    Promotion.objects.create(version=base, kind=PromotionKind.FIRST)
    promote = reverse("finetuning:promote", args=[held.child_id])
    cora_client.post(promote, {"reason": "Readers like it"})
    assert "Go back to base" in cora_client.get(reverse("models")).content.decode()
    page = cora_client.post(reverse("finetuning:back"), follow=True).content.decode()
    assert "base is promoted again" in page
    assert "Go back to" not in page
    base.refresh_from_db()
    assert base.is_promoted


def test_nobody_else_promotes_or_starts_anything(everyone: dict[str, Client], held: Gate) -> None:
    version = [held.child_id]
    for name, args in (
        ("promote", version),
        ("gate_start", version),
        ("back", []),
        ("gate_study", [held.pk]),
    ):
        address = reverse(f"finetuning:{name}", args=args)
        assert {who: everyone[who].post(address).status_code for who in OUTSIDERS} == OUTSIDERS
    assert Gate.objects.count() == 1


def test_the_tree_says_who_taught_a_version_and_what_its_gate_said(
    held: Gate, everyone: dict[str, Client]
) -> None:
    address = reverse("models")
    answers = {who: everyone[who].get(address).status_code for who in (*OUTSIDERS, "cora", "ada")}
    assert answers == OUTSIDERS | {"cora": 200, "ada": 200}
    page = everyone["cora"].get(address).content.decode()
    assert page.index(">base<") < page.index(">base-1<")
    assert "1 reading by people" in page
    assert ">hold<" in page


def test_two_versions_lie_side_by_side(held: Gate, cora_client: Client) -> None:
    chosen = {"version": [held.parent_id, held.child_id]}
    page = cora_client.get(reverse("models_beside"), chosen).content.decode()
    assert "base beside base-1" in page
    assert "Learning rate" in page
    assert page.count('class="beside"') == 24
    one = cora_client.get(
        reverse("models_beside"), {"version": [str(held.parent_id), "x", "9" * 30]}
    )
    assert "1 version chosen" in one.content.decode()


# What people say


def open_study(gate: Gate, client: Client, *readers: User) -> Study:
    address = reverse("finetuning:gate_study", args=[gate.pk])
    client.post(address, {"readers": [reader.pk for reader in readers]})
    return Study.objects.get(gate__gate=gate)


def test_one_click_opens_a_blinded_comparison(
    held: Gate, cora_client: Client, rosa: User, ravi: User
) -> None:
    study = open_study(held, cora_client, rosa, ravi)
    assert (study.mode, study.state, study.cases.count()) == ("compare", "open", 24)
    assert "base" not in study.name + study.instructions
    assert study.slots.filter(repetition=1).exists()
    orders = study.slots.filter(reader=rosa).values_list("image_order", flat=True)
    assert {tuple(order) for order in orders} == {(0, 1), (1, 0)}
    assert open_study(held, cora_client, rosa) == study
    for case in study.cases.prefetch_related("case_images__image__candidate__recipe"):
        child, parent = (one.image.candidate.recipe for one in case.case_images.all())
        assert (child.prompt, child.seed) == (parent.prompt, parent.seed)
        assert (child.model_version_id, parent.model_version_id) == (held.child_id, held.parent_id)


def test_nobody_chosen_opens_nothing(held: Gate, cora_client: Client) -> None:
    cora_client.post(reverse("finetuning:gate_study", args=[held.pk]))
    assert not GateStudy.objects.exists()


def test_what_people_say_is_told_when_the_study_is_read_or_closed(
    held: Gate, cora_client: Client, cora: User, rosa: User
) -> None:
    study = open_study(held, cora_client, rosa)
    slots = list(study.slots.filter(repetition=0).order_by("position"))
    for number, slot in enumerate(slots[:10]):
        choose(slot, child=number < 8)
    word = peoples_word(held)
    assert word is not None
    assert word.result is None
    assert f"10 of {word.wanted} comparisons are read." in page_of(held, cora_client)
    close_study(study, actor=cora)
    word = peoples_word(held)
    assert word is not None and word.result is not None
    questions = study.criteria.count()
    assert (word.result.wins, word.result.losses) == (8 * questions, 2 * questions)
    assert word.result.share.value == pytest.approx(0.8)
    page = page_of(held, cora_client)
    assert "People preferred the child in 80.0%" in page
    assert "Ask the gate again" not in page  # what was not compared cannot be judged


# The command line


def test_the_command_promotes_with_a_reason_and_goes_back(
    held: Gate, base: ModelVersion, capsys: pytest.CaptureFixture[str]
) -> None:
    Promotion.objects.create(version=base, kind=PromotionKind.FIRST)
    with pytest.raises(CommandError, match="says hold"):
        call_command("promote", "base-1")
    call_command("promote", "base-1", "--reason", "Readers like it")
    call_command("promote", "--back")
    assert capsys.readouterr().out.splitlines() == ["base-1 is promoted.", "base is promoted."]
    with pytest.raises(CommandError, match="base model"):
        call_command("gate", "base")

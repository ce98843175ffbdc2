"""The fine-tune form in a real browser."""

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from feedback_app.accounts.models import User
from feedback_app.finetuning.models import FineTune
from feedback_app.finetuning.services import take_snapshot
from feedback_app.images.models import ModelVersion
from feedback_app.studies.models import Slot, Study
from tests.finetuning.read_studies import Read

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]


def test_the_settings_follow_the_method_and_only_they_are_sent(
    page: Page,
    rosa: User,
    cora: User,
    base: ModelVersion,
    make_study: Callable[..., Study],
    read: Read,
    log_in: Callable[[User], None],
) -> None:
    study = make_study(rosa, prompts=[f"chest x-ray, {word}" for word in "abcdefgh"])
    for slot in Slot.objects.filter(study=study):
        read(slot, [5, 4, 4, 2])
    take_snapshot(name="Monday", simulated=False)
    log_in(cora)
    page.goto(reverse("finetuning:finetune_new"))
    expect(page.get_by_text("40 pairs and 32 rated images are too few to train on")).to_be_visible()
    page.get_by_label("Reward-weighted likelihood").check()
    expect(page.get_by_label("Reward-weighted likelihood")).to_be_checked()
    page.get_by_text("Settings of the training").click()
    expect(page.get_by_label("Temperature")).to_be_visible()
    page.get_by_label("Steps").fill("7")
    page.get_by_label("Margin-weighted DPO").check()
    expect(page.get_by_label("Beta")).to_be_visible()
    expect(page.get_by_label("Temperature")).to_have_count(0)
    expect(page.get_by_label("Steps")).to_have_value("7")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/fine-tunes/*/")
    row = FineTune.objects.get()
    assert (row.method, row.settings["steps"]) == ("dpo_margin", 7)

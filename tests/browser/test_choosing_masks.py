"""Choosing masks on the console, in a real browser."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from feedback_app.accounts.models import User
from feedback_app.images.models import Batch, ModelVersion
from feedback_app.images.versions.services import register
from tests.browser.faults import faults_of
from tests.images.masked import make_masked_cohort
from tests.tiny_model import save_tiny_model


def test_masks_are_chosen_and_seen_before_a_batch_is_made(
    page: Page, cora: User, log_in: Callable[[User], None], tmp_path: Path
) -> None:
    make_masked_cohort(train=4, test=1)
    register("plain", str(save_tiny_model(tmp_path / "plain")))
    follower = register("following", str(save_tiny_model(tmp_path / "following", seed=1)))
    ModelVersion.objects.filter(pk=follower.pk).update(follows_masks=True)
    log_in(cora)
    page.goto("/generate/")
    expect(page.get_by_label("Masks only")).to_be_disabled()
    expect(page.locator("#follows-none")).to_be_visible()
    page.get_by_label("Model version").select_option("following")
    page.get_by_label("Masks only").check()
    expect(page.get_by_label("Prompts, one a line")).to_be_hidden()
    expect(page.locator("#mask-preview")).to_contain_text("4 masks to follow.")
    page.get_by_label("Images to draw").fill("2")
    page.get_by_label("Bend").check()
    page.get_by_label("Variants of each").fill("2")
    expect(page.locator("#mask-preview")).to_contain_text("6 masks to follow.")
    page.locator("#mask-picker").get_by_label("opacity").check()
    expect(page.locator(".thumb svg rect[data-kind=opacity]")).to_have_count(4)
    page.locator(".thumb input").first.check()
    expect(page.locator("#mask-preview")).to_contain_text("3 masks to follow.")
    expect(page.locator("#estimate")).to_contain_text("12 images of 3 masks")
    assert faults_of(page) == []
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("heading", name="Batch 1")).to_be_visible()
    expect(page.locator(".place svg.overlay").first).to_be_visible()
    page.get_by_label("Masks over the images").uncheck()
    expect(page.locator(".place svg.overlay").first).to_be_hidden()
    assert Batch.objects.get().recipes.count() == 12

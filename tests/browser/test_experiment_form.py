"""Designing an experiment, in a real browser."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from feedback_app.accounts.models import User
from feedback_app.experiments.models import Experiment
from tests.browser.faults import faults_of
from tests.images.masked import make_masked_cohort


def test_the_primary_comparison_follows_the_task_and_the_grid(
    page: Page, cora: User, log_in: Callable[[User], None]
) -> None:
    make_masked_cohort(train=6, validation=2, test=4)
    log_in(cora)
    page.goto("/experiments/new/")
    figure, arm = page.get_by_label("Figure"), page.get_by_label("Arm", exact=True)
    size, ratio = (
        page.get_by_label("Real images", exact=True),
        page.get_by_label("Ratio", exact=True),
    )
    expect(figure).to_have_value("macro_f1")
    expect(size).to_have_value("64")
    page.get_by_label("Segmentation of masks").check()
    expect(figure).to_have_value("dice")
    figure.select_option("hd95")
    page.get_by_label("Name").fill("Do moved images help?")
    page.get_by_label("Kind of mask").select_option("lungs")
    page.get_by_label("Real training images").fill("2, 4")
    page.get_by_label("Ratios").fill("2, 4")
    page.get_by_label("Seeds").fill("3")
    expect(size).to_have_value("2")
    expect(ratio).to_have_value("2")
    size.fill("4")
    page.get_by_label("Real + curated", exact=True).uncheck()
    expect(arm).to_have_value("transformed")
    expect(figure).to_have_value("hd95")
    expect(size).to_have_value("4")
    expect(page.locator(".design-preview")).to_contain_text("4 test patients")
    assert faults_of(page) == []
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("heading", name="Do moved images help?")).to_be_visible()
    made = Experiment.objects.get()
    assert (made.metric, made.primary_arm, made.primary_size, made.primary_ratio) == (
        "hd95",
        "transformed",
        4,
        2,
    )

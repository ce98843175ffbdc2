"""The design form shows what a mode asks, and nothing that only others ask."""

from collections.abc import Callable

from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from feedback_app.accounts.models import User
from feedback_app.studies.modes import MODES
from tests.studies.making import make_batch

FIELDS = {
    "cohort_images": "How many of its images",
    "undrafted_percent": "Cases without a draft, in per cent",
    "images_per_case": "Images a case",
    "against": "Against",
    "real_cohort": "Real images of",
    "real_percent": "Real, in per cent",
    "has_phases": "Two phases",
}


def test_each_mode_shows_its_own_fields_questions_and_words(
    page: Page, live_server: LiveServer, committed: None, cora: User, log_in: Callable[[User], None]
) -> None:
    make_batch()
    log_in(cora)
    page.goto(f"{live_server.url}/studies/new/")
    for mode in MODES.values():
        page.get_by_label(mode.label).check()
        for name, label in FIELDS.items():
            field = page.get_by_label(label, exact=True)
            expect(field).to_be_visible(visible=name in mode.fields)
        explained = page.locator(f'p.muted[data-modes="{mode.slug}"]')
        expect(explained).to_be_visible()
        scored = page.locator('[data-kind="ordinal"]')
        expect(scored).to_be_visible(visible=mode.slug in {"rate", "rate_k"})
        compared = page.locator('[data-kind="comparison"]')
        expect(compared).to_be_visible(visible=mode.slug == "compare")
        preferred = page.locator('[data-kind="preference"]')
        expect(preferred).to_be_visible(visible=mode.slug == "compare_reports")
    page.get_by_label(MODES["real_or_synthetic"].label).check()
    page.get_by_label("Two phases", exact=True).check()
    expect(page.locator('[data-kind="ordinal"]')).to_be_visible()


def test_a_form_that_is_not_saved_says_so_and_the_focus_goes_to_what_is_wrong(
    page: Page, live_server: LiveServer, committed: None, cora: User, log_in: Callable[[User], None]
) -> None:
    log_in(cora)
    page.goto(f"{live_server.url}/studies/new/")
    expect(page.locator("#unsaved")).to_have_count(0)
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator("#unsaved")).to_have_text(
        "Nothing was saved. One thing needs a change; the first has the focus."
    )
    expect(page.locator("#id_name")).to_be_focused()

"""Results of an open study in a real browser: they keep up, and keep their place."""

import uuid
from collections.abc import Callable

import numpy as np
import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from feedback_app.accounts.models import User
from feedback_app.readings.services import submit
from feedback_app.results import views as results_views
from feedback_app.studies.models import Slot, Study
from tests.readings.answers import scores_for
from tests.readings.filling import rated_study, read

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]
SCORES = np.array([[1, 2], [3, 3], [4, 5], [2, 2], [5, 4]], float)
FROM_TOP = "row => row.getBoundingClientRect().top"


def test_results_follow_the_readings_and_what_was_unfolded_stays_so(
    page: Page, cora: User, rosa: User, ravi: User, log_in: Callable[[User], None]
) -> None:
    study = rated_study(rosa, ravi, scores=SCORES)
    log_in(cora)
    page.goto(reverse("studies:detail", args=[study.pk]))
    expect(page.get_by_text("over 5 shared cases").first).to_be_visible()
    numbers = page.locator("#numbers-scores-realism")
    numbers.locator("summary").click()
    read(study.cases.latest("position"), rosa, scores={"realism": [0]}, repetition=1)
    expect(page.get_by_text("11 readings")).to_be_visible()
    expect(numbers.get_by_role("table")).to_be_visible()
    for plot in page.locator("figure.plot img").all():
        plot.scroll_into_view_if_needed()
        expect(plot).to_have_js_property("complete", value=True)
        assert plot.evaluate("image => image.naturalWidth") > 0
        assert len(plot.get_attribute("alt") or "") > 20


def test_the_table_of_images_follows_and_stays_on_its_page(
    page: Page,
    cora: User,
    rosa: User,
    ravi: User,
    log_in: Callable[[User], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(results_views, "IMAGES_A_PAGE", 3)
    study = rated_study(rosa, ravi, scores=SCORES)
    log_in(cora)
    page.goto(reverse("readings:results-page", args=[study.pk]))
    images = page.locator("#study-images")
    images.get_by_role("button", name="Next").click()
    expect(images).to_contain_text("4–5 of 5")
    last = images.locator("tbody tr").last
    expect(last.locator("td").nth(4)).to_have_text("4.5")
    last.locator("img").evaluate("image => { image.kept = true; }")
    images.locator("button").focus()
    images.evaluate("part => part.scrollIntoView()")
    seen_at = last.evaluate(FROM_TOP)
    read(study.cases.latest("position"), rosa, scores={"realism": [1]}, repetition=1)
    expect(last.locator("td").nth(4)).not_to_have_text("4.5")
    expect(images).to_contain_text("4–5 of 5")
    assert last.locator("img").evaluate("image => image.kept")
    expect(images.locator("button")).to_be_focused()
    assert last.evaluate(FROM_TOP) == pytest.approx(seen_at, abs=3)


@pytest.mark.parametrize("width", [1920, 1280, 640])
def test_the_page_does_not_scroll_sideways_even_at_twice_the_size(
    page: Page, cora: User, rosa: User, ravi: User, log_in: Callable[[User], None], width: int
) -> None:
    study = rated_study(rosa, ravi, scores=SCORES)
    log_in(cora)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(reverse("readings:results-page", args=[study.pk]))
    expect(page.get_by_role("heading", name="Pace")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_results_and_progress_come_in_while_the_coordinator_watches(
    page: Page,
    study: Study,
    slots: list[Slot],
    rosa: User,
    cora: User,
    log_in: Callable[[User], None],
) -> None:
    log_in(cora)
    page.goto(reverse("studies:detail", args=[study.pk]))
    expect(page.get_by_text("No reading yet")).to_be_visible()
    assert slots[0].reader is not None
    submit(
        slot=slots[0],
        reader=slots[0].reader,
        idempotency_key=uuid.uuid4(),
        scores=scores_for(slots[0], value=2),
    )
    expect(page.get_by_role("cell", name="1 of 3")).to_be_visible()
    expect(page.get_by_text("1 reading; revised ones count once")).to_be_visible()

"""A real image beside the case: under the same view, measured, put out of sight."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from feedback_app.accounts.models import User
from feedback_app.images.models import CohortImage
from feedback_app.studies.models import CaseReference
from tests.browser.reading import SIDE, box_of, drag, enter, painted, screen_point
from tests.readings.rooms import assign, make_room, real, synthetic

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

LogIn = Callable[[User], None]


def test_a_real_image_beside_the_case_is_measured_in_millimetres_and_hidden(
    page: Page, log_in: LogIn, rosa: User
) -> None:
    beside = real(2, size=(SIDE, SIDE))
    cases = [[synthetic(1, size=(SIDE, SIDE))]]
    study = make_room("rate", rosa, cases=cases, reference_cohort=beside.cohort_image.cohort)
    CohortImage.objects.filter(pk=beside.pk).update(spacing_mm=[0.5, 0.5])
    CaseReference.objects.create(case=study.cases.get(), image=beside)
    (slot,) = assign(study, rosa)
    log_in(rosa)
    enter(page, slot)
    canvas, frame = page.locator("#reference canvas"), page.locator("#images .frame")
    narrow = box_of(frame)["width"]
    page.keyboard.press("l")
    drag(page, screen_point(canvas, (220, 230)), screen_point(canvas, (280, 310)))
    expect(page.locator("#reference .ruler-label")).to_have_text("50.0 mm")
    page.keyboard.press("Escape")
    page.keyboard.press("i")  # one window for both
    painted(page)
    grey = "(canvas) => canvas.getContext('2d').getImageData(0, 0, 4, 1).data[0]"
    inverted = canvas.evaluate(grey)
    page.keyboard.press("i")
    painted(page)
    assert canvas.evaluate(grey) == 255 - inverted
    page.keyboard.press("v")
    expect(page.locator("#reference")).to_be_hidden()
    painted(page)
    assert box_of(frame)["width"] > narrow

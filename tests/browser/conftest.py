"""Studies of a mode, or of four images a case, open at Rosa's first case."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from feedback_app.accounts.models import User
from feedback_app.studies.models import Slot, Study
from tests.browser.reading import enter, make_case
from tests.readings.rooms import assign, make_room, synthetic
from tests.studies.making import make_study


@pytest.fixture
def opened(page: Page, rosa: User, log_in: Callable[[User], None]) -> Callable[..., list[Slot]]:
    """Opens a study of a mode at Rosa's first case; returns Rosa's slots."""

    def open_room(mode: str, *, each: int = 1, cases: int = 2, **values: object) -> list[Slot]:
        images = [[synthetic(100 * case + place) for place in range(each)] for case in range(cases)]
        study = make_room(mode, rosa, cases=images, **values)  # type: ignore[arg-type]
        slots = assign(study, rosa)
        log_in(rosa)
        enter(page, slots[0])
        return slots

    return open_room


@pytest.fixture
def study(rosa: User) -> Study:
    """Three cases of four images, all Rosa's."""
    return make_study(rosa, prompts=3)


@pytest.fixture
def slots(study: Study) -> list[Slot]:
    return list(study.slots.order_by("position"))


@pytest.fixture
def room(page: Page, slots: list[Slot], rosa: User, log_in: Callable[[User], None]) -> Page:
    """Rosa's reading page with the first case on it."""
    log_in(rosa)
    enter(page, slots[0])
    return page


@pytest.fixture
def pair(page: Page, rosa: User, log_in: Callable[[User], None]) -> Page:
    """Two images of 512 x 512."""
    log_in(rosa)
    enter(page, make_case(rosa, images=2))
    return page

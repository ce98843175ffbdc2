"""Studies of a mode, open at Rosa's first case."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from feedback_app.accounts.models import User
from feedback_app.studies.models import Slot, StudyMode
from tests.browser.reading import enter
from tests.readings.rooms import assign, make_room, synthetic


@pytest.fixture
def opened(page: Page, rosa: User, log_in: Callable[[User], None]) -> Callable[..., list[Slot]]:
    """Opens a study of a mode at Rosa's first case; returns her slots."""

    def open_room(
        mode: StudyMode, *, each: int = 1, cases: int = 2, **values: object
    ) -> list[Slot]:
        images = [[synthetic(100 * case + place) for place in range(each)] for case in range(cases)]
        study = make_room(mode, rosa, cases=images, **values)  # type: ignore[arg-type]
        slots = assign(study, rosa)
        log_in(rosa)
        enter(page, slots[0])
        return slots

    return open_room

"""Reading in a real browser: by keyboard, by mouse, through reloads and outages."""

import io
import re
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import PIL.Image
import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, Route, expect

from feedback_app.accounts.models import User
from feedback_app.readings.models import Reading
from feedback_app.readings.services import submit
from feedback_app.studies.models import Slot, Study
from feedback_app.studies.services import close_study
from tests.browser.reading import (
    address_of,
    all_sent,
    at_case,
    enter,
    expect_chosen,
    press_all,
    values_of,
    wait_for_paint,
    wait_for_pictures,
)
from tests.readings.answers import scores_for
from tests.studies.making import make_study

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

SIZES = [(1920, 1080), (1280, 800)]


@pytest.fixture
def study(rosa: User) -> Study:
    """Three cases of four images, all Rosa's."""
    return make_study(rosa, prompts=3)


@pytest.fixture
def slots(study: Study) -> list[Slot]:
    return list(study.slots.order_by("position"))


@pytest.fixture
def room(page: Page, slots: list[Slot], rosa: User, log_in: Callable[[User], None]) -> Page:
    """Rosa's reading page with her first case on it."""
    log_in(rosa)
    enter(page, slots[0])
    return page


def test_a_case_is_read_by_keyboard_alone(
    page: Page, slots: list[Slot], rosa: User, log_in: Callable[[User], None]
) -> None:
    log_in(rosa)
    page.goto(reverse("readings:worklist"))
    page.keyboard.press("Enter")  # the first study's button has the focus
    at_case(page, slots[0])
    press_all(page, "50413223")
    page.keyboard.press("f")
    page.keyboard.type("clav")
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("c")
    page.keyboard.type("Zebra in field 5, image F?")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    at_case(page, slots[1])
    all_sent(page)
    reading = Reading.objects.get()
    assert reading.slot == slots[0]
    assert values_of(reading, "realism") == [5, 4, 3, 2]
    assert values_of(reading, "fits-the-prompt") == [0, 1, 2, 3]
    flag = reading.flags.get()
    assert (flag.kind.name, flag.grade) == ("Clavicles", "major")
    assert flag.image == slots[0].images_in_order()[3]
    assert reading.comment == "Zebra in field 5, image F?"
    assert 0 < reading.active_ms < 60_000


def test_a_reload_in_the_middle_keeps_case_and_answers(room: Page, slots: list[Slot]) -> None:
    press_all(room, "512")
    room.keyboard.press("c")
    room.keyboard.type("Half way")
    room.keyboard.press("Escape")
    room.reload()
    at_case(room, slots[0])
    expect_chosen(room, ["5", "1", "2"])
    expect(room.locator("#comment-field")).to_have_value("Half way")
    press_all(room, "34433")
    room.keyboard.press("Enter")
    at_case(room, slots[1])
    all_sent(room)
    assert values_of(Reading.objects.get(), "realism") == [5, 2, 4, 3]


def test_going_back_and_revising_makes_a_second_revision(room: Page, slots: list[Slot]) -> None:
    press_all(room, "33333333")
    room.keyboard.press("Enter")
    at_case(room, slots[1])
    room.keyboard.press("z")
    at_case(room, slots[0])
    expect_chosen(room, ["3"] * 8)
    expect(room.locator("#hint")).to_have_text("Submitted")
    room.keyboard.press("0")
    expect(room.locator("#submit")).to_contain_text("Submit change")
    room.keyboard.press("Enter")
    at_case(room, slots[1])
    all_sent(room)
    first, second = Reading.objects.order_by("revision")
    assert (first.revision, values_of(first, "realism")) == (1, [3, 3, 3, 3])
    assert (second.revision, values_of(second, "realism")) == (2, [0, 3, 3, 3])


def test_going_back_without_a_change_makes_no_revision(room: Page, slots: list[Slot]) -> None:
    press_all(room, "33333333")
    room.keyboard.press("Enter")
    at_case(room, slots[1])
    room.keyboard.press("z")
    at_case(room, slots[0])
    room.keyboard.press("Enter")
    at_case(room, slots[1])
    all_sent(room)
    assert Reading.objects.count() == 1


def test_enter_on_an_incomplete_case_says_what_is_missing_and_goes_there(room: Page) -> None:
    press_all(room, "44")
    room.keyboard.press("ArrowDown")
    room.keyboard.press("Enter")
    expect(room.locator("#hint")).to_have_text("6 to score")
    expect(room.locator(".strip.wanted")).to_have_count(6)
    expect(room.locator(".strip.focused")).to_have_attribute("aria-label", "Image B: Realism")
    assert not Reading.objects.exists()


def test_arrows_and_tab_move_between_images_and_criteria(room: Page) -> None:
    focused = room.locator(".strip:focus")
    for key, label in (
        ("ArrowRight", "Image B: Realism"),
        ("ArrowDown", "Image B: Fits the prompt"),
        ("ArrowDown", "Image D: Realism"),
        ("ArrowLeft", "Image C: Realism"),
        ("ArrowUp", "Image A: Fits the prompt"),
        ("Tab", "Image B: Realism"),
        ("Shift+Tab", "Image A: Fits the prompt"),
    ):
        room.keyboard.press(key)
        expect(focused).to_have_attribute("aria-label", label)


def test_keys_are_dead_in_a_text_field_and_held_keys_score_once(room: Page) -> None:
    room.keyboard.press("c")
    room.keyboard.type("zif 012345 ?=")
    expect_chosen(room, [])
    expect(room.locator("#comment-field")).to_have_value("zif 012345 ?=")
    room.keyboard.press("Escape")
    for _ in range(5):
        room.keyboard.down("4")
    room.keyboard.up("4")
    expect_chosen(room, ["4"])


def test_the_key_map_opens_and_closes_with_its_key(room: Page) -> None:
    room.keyboard.press("?")
    expect(room.locator("#help")).to_be_visible()
    room.keyboard.press("3")
    room.keyboard.press("?")
    expect(room.locator("#help")).to_be_hidden()
    expect_chosen(room, [])


def test_everything_can_be_done_by_mouse(room: Page, slots: list[Slot]) -> None:
    for strip in room.locator(".strip").all():
        strip.locator(".cell").nth(2).click()
    room.locator(".tile").nth(1).locator(".add-flag").click()
    room.locator("#flag-picker li", has_text="Uniform noise").get_by_text("minor").click()
    room.locator("#flag-picker .close").click()
    expect(room.locator(".tile").nth(1).locator(".chip")).to_contain_text("Uniform noise")
    room.locator("#anchors button").nth(4).click()
    room.locator("#submit").click()
    at_case(room, slots[1])
    room.locator("#back").click()
    at_case(room, slots[0])
    all_sent(room)
    reading = Reading.objects.get()
    assert reading.flags.get().image == slots[0].images_in_order()[1]
    assert sorted(reading.scores.values_list("value", flat=True)) == [2] * 7 + [4]


def test_the_last_case_ends_with_thanks(room: Page, slots: list[Slot]) -> None:
    for slot in slots:
        at_case(room, slot)
        press_all(room, "33333333")
        room.keyboard.press("Enter")
    expect(room.locator("#message")).to_contain_text("All 3 cases are read")
    all_sent(room)
    assert Reading.objects.count() == 3
    room.keyboard.press("Enter")
    expect(room).to_have_url(re.compile("/read/$"))


# Pictures


def shown_grey(canvas: Locator) -> np.ndarray[Any, Any]:
    values = canvas.evaluate(
        "(canvas) => Array.from(canvas.getContext('2d')"
        ".getImageData(0, 0, canvas.width, canvas.height).data)"
    )
    pixels = np.asarray(values, dtype=np.uint8).reshape(-1, 4)
    assert (pixels[:, :3] == pixels[:, :1]).all()
    assert (pixels[:, 3] == 255).all()
    return pixels[:, 0]


def windowed(grey: np.ndarray[Any, Any], *, level: float, width: float) -> np.ndarray[Any, Any]:
    """DICOM PS3.3 C.11.2.1.2.1 with an output of 0-255, rounded half up."""
    shown = ((grey.astype(float) - (level - 0.5)) / (width - 1) + 0.5) * 255
    return np.clip(np.floor(shown + 0.5), 0, 255).astype(np.uint8)


def stored_grey(slot: Slot, place: int) -> np.ndarray[Any, Any]:
    blob = slot.images_in_order()[place].blob
    return np.asarray(PIL.Image.open(io.BytesIO(blob.read()))).reshape(-1)


def test_window_and_level_are_exact_in_every_grey_value(room: Page, slots: list[Slot]) -> None:
    canvases = room.locator(".frame canvas").all()
    for place, canvas in enumerate(canvases):
        assert (shown_grey(canvas) == stored_grey(slots[0], place)).all()
    room.keyboard.press("Shift+Digit2")
    expect(room.locator("#view")).to_have_text(re.compile("W 150 +L 88"))
    wait_for_paint(room)
    for place, canvas in enumerate(canvases):
        expected = windowed(stored_grey(slots[0], place), level=88, width=150)
        assert (shown_grey(canvas) == expected).all()
    room.keyboard.press("i")
    wait_for_paint(room)
    expected = 255 - windowed(stored_grey(slots[0], 0), level=88, width=150)
    assert (shown_grey(canvases[0]) == expected).all()


def test_a_left_drag_windows_all_images_and_a_double_click_resets(
    room: Page, slots: list[Slot]
) -> None:
    frame = room.locator(".frame").first
    frame.hover()
    room.mouse.down()
    box = frame.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    room.mouse.move(x - 100, y - 60, steps=7)
    room.mouse.up()
    expect(room.locator("#view")).to_have_text(re.compile("W 156 +L 98"))
    wait_for_paint(room)
    for place, canvas in enumerate(room.locator(".frame canvas").all()):
        expected = windowed(stored_grey(slots[0], place), level=98, width=156)
        assert (shown_grey(canvas) == expected).all()
    frame.dblclick()
    expect(room.locator("#view")).to_have_text(re.compile("W 256 +L 128 +1.0"))


def corner_of(canvas: Locator) -> tuple[float, float, float]:
    box = canvas.bounding_box()
    assert box is not None
    return box["x"], box["y"], box["width"]


def test_the_wheel_zooms_at_the_pointer_and_the_middle_button_pans_all(room: Page) -> None:
    canvases = room.locator(".frame canvas").all()
    x, y, width = corner_of(canvases[0])
    point = (x + 0.7 * width, y + 0.3 * width)
    room.mouse.move(*point)
    room.mouse.wheel(0, -400)
    wait_for_paint(room)
    x, y, zoomed = corner_of(canvases[0])
    assert zoomed > 1.5 * width
    assert abs(x + 0.7 * zoomed - point[0]) < 1
    assert abs(y + 0.3 * zoomed - point[1]) < 1
    assert {round(corner_of(canvas)[2]) for canvas in canvases} == {round(zoomed)}
    before = [corner_of(canvas) for canvas in canvases]
    room.mouse.down(button="middle")
    room.mouse.move(point[0] + 40, point[1] + 25, steps=4)
    room.mouse.up(button="middle")
    for canvas, (old_x, old_y, _) in zip(canvases, before, strict=True):
        new_x, new_y, _ = corner_of(canvas)
        assert abs(new_x - old_x - 40) < 1
        assert abs(new_y - old_y - 25) < 1
    room.keyboard.press("=")
    assert round(corner_of(canvases[0])[2]) == round(width)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_four_images_fit_without_scrolling_and_nothing_moves_from_case_to_case(
    room: Page, slots: list[Slot], width: int, height: int
) -> None:
    room.set_viewport_size({"width": width, "height": height})

    def layout() -> list[Any]:
        parts = room.locator(
            ".frame, .strip, .legend button, #submit, #prompt-text, .room-head > *"
        )
        return [part.bounding_box() for part in parts.all() if part.is_visible()]

    scrolls = (
        "() => [document.scrollingElement.scrollHeight, document.scrollingElement.scrollWidth]"
    )
    assert room.evaluate(scrolls) == [height, width]
    frames = [frame.bounding_box() for frame in room.locator(".frame").all()]
    assert all(box and box["y"] + box["height"] <= height for box in frames)
    submit_box = room.locator("#submit").bounding_box()
    assert submit_box is not None
    assert submit_box["y"] + submit_box["height"] <= height
    before = layout()
    press_all(room, "33333333")
    room.keyboard.press("Enter")
    at_case(room, slots[1])
    assert layout() == before


def test_the_look_up_table_is_exact_for_any_window(room: Page) -> None:
    grey = np.arange(256)
    for level, width in ((128, 256), (40, 300), (200, 2), (-20, 90), (300, 33.5)):
        table = room.evaluate(
            "async ([level, width]) => Array.from("
            "(await import('/static/js/reading/window.js')).lookUpTable({ level, width }))",
            [level, width],
        )
        assert table == windowed(grey, level=level, width=width).tolist()


def test_reading_time_leaves_out_hidden_tabs_and_idleness(room: Page) -> None:
    times = room.evaluate(
        """async () => {
            const { Clock } = await import('/static/js/reading/clock.js');
            let now = 0;
            const clock = new Clock(() => now);
            const sign = (kind) => window.dispatchEvent(new Event(kind));
            const hide = (hidden) => {
                Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
                document.dispatchEvent(new Event('visibilitychange'));
            };
            const times = [];
            now += 20_000; sign('pointermove'); times.push(clock.read());   // reading
            now += 600_000; sign('keydown'); times.push(clock.read());      // away: 60 s count
            now += 5_000; hide(true); times.push(clock.read());
            now += 30_000; hide(false); times.push(clock.read());           // another tab
            now += 1_000; times.push(clock.read());
            return times;
        }"""
    )
    assert times == [20_000, 80_000, 85_000, 85_000, 86_000]


# Outages


def readings_of(page: Page, handler: Callable[[Route], None]) -> None:
    page.route("**/api/slots/*/readings/", handler)


def test_a_reading_submitted_offline_is_kept_and_sent_once_when_the_server_is_back(
    room: Page, slots: list[Slot]
) -> None:
    wait_for_pictures(room, slots[1])
    room.context.set_offline(True)
    press_all(room, "44444444")
    room.keyboard.press("Enter")
    at_case(room, slots[1])  # it was fetched before
    expect(room.locator("#status")).to_have_text("Offline · 1 kept")
    press_all(room, "22222222")
    room.keyboard.press("Enter")
    expect(room.locator("#status")).to_have_text("Offline · 2 kept")
    expect(room.locator("#message")).to_contain_text("cannot be reached")
    assert not Reading.objects.exists()
    room.context.set_offline(False)
    all_sent(room)
    at_case(room, slots[2])
    stored = Reading.objects.order_by("created_at")
    assert [reading.slot for reading in stored] == slots[:2]
    assert values_of(stored[0], "realism") == [4] * 4


def test_an_unsent_reading_survives_closing_the_page(room: Page, slots: list[Slot]) -> None:
    readings_of(room, lambda route: route.abort())
    press_all(room, "55555555")
    room.keyboard.press("Enter")
    expect(room.locator("#status")).to_have_text("Offline · 1 kept")
    room.close()
    page = room.context.new_page()
    enter(page, slots[0])
    expect_chosen(page, ["5"] * 8)
    all_sent(page)
    assert Reading.objects.get().slot == slots[0]


def test_the_work_list_sends_what_the_reading_page_could_not(room: Page, slots: list[Slot]) -> None:
    readings_of(room, lambda route: route.abort())
    press_all(room, "55555555")
    room.keyboard.press("Enter")
    expect(room.locator("#status")).to_have_text("Offline · 1 kept")
    room.goto(reverse("readings:worklist"))
    kept = room.locator("#kept")
    expect(kept).to_have_text(
        "One reading is kept in this browser until the server can be reached again."
    )
    assert not Reading.objects.exists()
    room.unroute_all()
    expect(room.get_by_text("1 of 3 cases read")).to_be_visible()
    expect(kept).to_be_hidden()
    assert Reading.objects.get().slot == slots[0]


def test_the_work_list_tells_of_a_reading_that_was_not_taken(
    room: Page, study: Study, slots: list[Slot]
) -> None:
    readings_of(room, lambda route: route.abort())
    press_all(room, "55555555")
    room.keyboard.press("Enter")
    expect(room.locator("#status")).to_have_text("Offline · 1 kept")
    close_study(study)
    room.unroute_all()
    room.goto(reverse("readings:worklist"))
    kept = room.locator("#kept")
    expect(kept).to_contain_text("The reading of case 1 was not taken.")
    kept.get_by_text("Show the case").click()
    at_case(room, slots[0])
    expect_chosen(room, ["5"] * 8)


def test_two_tabs_keep_what_each_of_them_submitted(room: Page, slots: list[Slot]) -> None:
    other = room.context.new_page()
    enter(other, slots[2])
    for page in (room, other):
        readings_of(page, lambda route: route.abort())
    for page in (room, other):
        press_all(page, "44444444")
        page.keyboard.press("Enter")
        expect(page.locator("#status")).to_contain_text("kept")
    expect(room.locator("#status")).to_have_text("Offline · 2 kept")
    room.unroute_all()
    all_sent(room)
    assert {reading.slot for reading in Reading.objects.all()} == {slots[0], slots[2]}
    assert Reading.objects.count() == 2


def test_a_draft_gives_way_to_a_reading_submitted_elsewhere(
    room: Page, slots: list[Slot], rosa: User
) -> None:
    press_all(room, "55")
    submit(
        slot=slots[0],
        reader=rosa,
        idempotency_key=uuid.uuid4(),
        scores=scores_for(slots[0], value=1),
    )
    room.reload()
    at_case(room, slots[0])
    expect_chosen(room, ["1"] * 8)


def test_a_reading_whose_answer_was_lost_is_stored_once(room: Page, slots: list[Slot]) -> None:
    lost: list[int] = []

    def lose_the_first_answer(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort()

    readings_of(room, lose_the_first_answer)
    press_all(room, "44444444")
    room.keyboard.press("Enter")
    all_sent(room)
    assert lost == [201]
    assert Reading.objects.count() == 1


def test_a_refused_reading_is_shown_and_becomes_a_draft_again(
    room: Page, study: Study, slots: list[Slot]
) -> None:
    wait_for_pictures(room, slots[1])
    close_study(study)
    press_all(room, "44444444")
    room.keyboard.press("Enter")
    notice = room.locator("#notice")
    expect(notice).to_contain_text("The reading of case 1 was not taken.")
    expect(notice).to_contain_text("is closed")
    notice.get_by_text("Show the case").click()
    at_case(room, slots[0])
    expect_chosen(room, ["4"] * 8)
    expect(room.locator("#hint")).to_have_text("This study is closed")
    expect(notice).to_be_hidden()


def read_already(slot: Slot) -> None:
    assert slot.reader is not None
    submit(
        slot=slot,
        reader=slot.reader,
        idempotency_key=uuid.uuid4(),
        scores=scores_for(slot, value=2),
    )


def test_a_reading_refused_after_the_last_case_brings_the_case_back(
    room: Page, study: Study, slots: list[Slot]
) -> None:
    for slot in slots[:2]:
        read_already(slot)
    enter(room, slots[2])
    close_study(study)
    press_all(room, "44444444")
    room.keyboard.press("Enter")
    expect(room.locator("#notice")).to_contain_text("The reading of case 3 was not taken.")
    expect(room.locator("#message")).to_be_hidden()
    expect(room.locator("#hint")).to_have_text("This study is closed")
    room.reload()
    at_case(room, slots[2])
    expect_chosen(room, ["4"] * 8)


def test_every_refused_reading_is_told_of(room: Page, study: Study, slots: list[Slot]) -> None:
    wait_for_pictures(room, slots[1])
    room.context.set_offline(True)
    for values in ("44444444", "22222222"):
        press_all(room, values)
        room.keyboard.press("Enter")
    expect(room.locator("#status")).to_have_text("Offline · 2 kept")
    close_study(study)
    room.context.set_offline(False)
    for slot, value in zip(slots[:2], "42", strict=True):
        expect(room.locator("#notice")).to_contain_text(f"case {slot.position + 1} was not taken")
        room.locator("#notice").get_by_text("Show the case").click()
        at_case(room, slot)
        expect_chosen(room, [value] * 8)
    expect(room.locator("#notice")).to_be_hidden()


def test_after_a_lost_session_a_login_leads_back_to_the_case_and_sends_what_was_kept(
    room: Page, slots: list[Slot], rosa: User
) -> None:
    wait_for_pictures(room, slots[1])
    room.context.clear_cookies()
    press_all(room, "33333333")
    room.keyboard.press("Enter")
    expect(room.locator("#notice")).to_contain_text("You are logged out")
    at_case(room, slots[1])
    press_all(room, "52")
    rosa.set_password("a long enough phrase")
    rosa.save()
    room.locator("#notice").get_by_role("button", name="Log in").click()
    room.get_by_label("Name").fill("rosa")
    room.get_by_label("Password").fill("a long enough phrase")
    room.get_by_role("button", name="Log in").click()
    at_case(room, slots[1])
    all_sent(room)
    expect(room.locator("#notice")).to_be_hidden()
    expect_chosen(room, ["5", "2"])
    assert Reading.objects.get().slot == slots[0]


def test_what_somebody_else_kept_on_this_workstation_stays_hers(
    room: Page, slots: list[Slot], rosa: User, ravi: User, log_in: Callable[[User], None]
) -> None:
    readings_of(room, lambda route: route.abort())
    press_all(room, "55555555")
    room.keyboard.press("Enter")
    expect(room.locator("#status")).to_have_text("Offline · 1 kept")
    log_in(ravi)
    room.unroute_all()
    expect(room.locator("#notice")).to_contain_text("You are logged out")
    beside = room.context.new_page()
    enter(beside, make_own_slot(ravi))
    expect_chosen(beside, [])
    expect(beside.locator("#status")).to_have_text("Saved")
    assert beside.goto(address_of(slots[0])).status == 404  # type: ignore[union-attr]
    log_in(rosa)
    all_sent(room)
    assert Reading.objects.get().slot == slots[0]


def make_own_slot(reader: User) -> Slot:
    """A case of a study of the reader's own, from the images that are there."""
    given = Slot.objects.select_related("study", "case").order_by("pk")[0]
    return Slot.objects.create(
        study=given.study, case=given.case, reader=reader, position=0, image_order=[0, 1, 2, 3]
    )


def test_a_closed_case_shows_what_was_submitted_and_takes_nothing(
    page: Page, slots: list[Slot], study: Study, rosa: User, log_in: Callable[[User], None]
) -> None:
    submit(
        slot=slots[0],
        reader=rosa,
        idempotency_key=uuid.uuid4(),
        scores=scores_for(slots[0], value=2),
    )
    close_study(study)
    log_in(rosa)
    enter(page, slots[0])
    press_all(page, "5555")
    expect_chosen(page, ["2"] * 8)
    page.keyboard.press("c")
    expect(page.locator("#comment-field")).to_be_focused()
    expect(page.locator("#comment-field")).not_to_be_editable()


# The coordinator's view of it


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

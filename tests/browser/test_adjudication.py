"""What a reader says reaches everybody who needs it; what is disputed is settled by keyboard."""

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from feedback_app.accounts.models import User
from feedback_app.readings.adjudication.finals import final_readings
from feedback_app.readings.comment_models import CommentFlag
from feedback_app.studies.models import Phase, Slot
from tests.browser.reading import all_sent, at_case, drag, enter, press_all, screen_point
from tests.readings.answers import read
from tests.readings.rooms import assign, make_room, synthetic

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]


def test_what_a_comment_names_is_marked_and_confirmed(
    page: Page, rosa: User, cora: User, log_in: Callable[[User], None]
) -> None:
    study = make_room("rate", rosa, cases=[[synthetic(1, size=(512, 512))]])
    read(assign(study, rosa)[0], comment="The clavicle is doubled.")
    log_in(cora)
    page.goto(reverse("readings:results-cases", args=[study.pk]))
    offered = page.locator("form.suggested").first
    expect(offered).to_contain_text("Clavicles?")
    offered.get_by_label("Grade").select_option("major")
    offered.get_by_role("button", name="Mark").click()
    picture = page.locator(".reviewed-images svg").bounding_box()
    assert picture is not None
    at = [(picture["x"] + share * picture["width"], picture["y"] + share * picture["height"])
          for share in (0.25, 0.5)]  # fmt: skip
    drag(page, *at)
    offered.get_by_role("button", name="Confirm").click()
    expect(page.locator(".named")).to_contain_text("Clavicles, major, 1 region from the comment")
    assert CommentFlag.objects.get().box == pytest.approx([128, 128, 256, 256], abs=2)


def test_what_a_reader_says_is_seen_by_the_coordinator_and_settled_by_keyboard(
    page: Page, rosa: User, ravi: User, otto: User, cora: User, log_in: Callable[[User], None]
) -> None:
    images = [synthetic(number, size=(512, 512)) for number in (1, 2)]
    study = make_room("rate", rosa, ravi, cases=[[image] for image in images], name="Ribs")
    first, second = assign(study, rosa)
    read(assign(study, ravi)[0], value=0)

    log_in(rosa)
    enter(page, first)
    page.keyboard.press("f")
    page.keyboard.type("noise")
    page.keyboard.press("Control+Shift+Enter")
    canvas = page.locator(".frame canvas").first
    drag(page, screen_point(canvas, (100, 120)), screen_point(canvas, (260, 200)))
    expect(page.locator(".region-label")).to_be_visible()
    page.keyboard.press("c")
    page.keyboard.type("Ribs end nowhere.")
    page.keyboard.press("Escape")
    press_all(page, "55")
    page.keyboard.press("Enter")
    at_case(page, second)
    page.keyboard.press("s")
    page.get_by_label("It does not display properly").check()
    page.keyboard.press("Enter")
    all_sent(page)

    log_in(cora)
    page.goto(reverse("readings:results-cases", args=[study.pk]) + "?order=disagreement")
    disputed = page.locator(".reviewed").first
    expect(disputed).to_contain_text("Ribs end nowhere.")
    expect(disputed).to_contain_text("Noise, major, 1 region")
    outline = disputed.locator("polygon.outline").get_attribute("points") or ""
    corners = [[float(at) for at in corner.split(",")] for corner in outline.split()]
    assert corners[0] == pytest.approx([100, 120], abs=1)
    assert corners[2] == pytest.approx([260, 200], abs=1)
    expect(page.get_by_text("It does not display properly")).to_be_visible()
    page.goto(reverse("images:candidate", args=[images[0].pk]))
    expect(page.get_by_text("Ribs end nowhere.")).to_be_visible()
    for name, said in (
        ("comments", "Ribs end nowhere."),
        ("skips", "technical"),
        ("regions", "noise"),
    ):
        file = page.request.get(reverse("readings:readings-file", args=[study.pk, name, "csv"]))
        assert said in file.text()

    page.goto(reverse("readings:results-cases", args=[study.pk]) + "?order=disagreement")
    press_all(page, "jxs")
    page.get_by_role("checkbox", name="Otto").check()
    page.keyboard.press("Enter")
    expect(page.get_by_text("One case is on the work list of Otto.")).to_be_visible()

    log_in(otto)
    page.goto(reverse("readings:worklist"))
    expect(page.get_by_role("button", name="Start")).to_be_focused()
    page.keyboard.press("Enter")
    adjudication = study.adjudications.get()
    blind, final = Slot.objects.filter(study=adjudication.panel)
    at_case(page, blind)
    expect(page.locator("#others")).to_be_hidden()
    press_all(page, "22")
    page.keyboard.press("Enter")
    at_case(page, final)
    page.keyboard.press("Enter")  # what changes now is told first
    others = page.locator("#others")
    expect(others).to_contain_text("Ribs end nowhere.")
    expect(others.locator("h2")).to_have_text(["Reader A", "Reader B", "You, blind"])
    expect(page.locator(".others-regions path")).to_have_count(1)
    press_all(page, "ttx44")
    page.keyboard.press("Enter")
    page.keyboard.type("They end at the border.")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    all_sent(page)
    (settled,) = final_readings()
    assert (settled.slot.phase, settled.comment) == (Phase.FINAL, "They end at the border.")

    log_in(cora)
    page.goto(reverse("readings:results-cases", args=[study.pk]) + "?show=settled")
    expect(page.locator(".reviewed tr.final")).to_contain_text("They end at the border.")

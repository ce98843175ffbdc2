"""A second factor: the code after the password, once each, counted like passwords."""

import time
from collections.abc import Callable

import pyotp
import pytest
from axes.models import AccessAttempt
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from feedback_app.accounts import second_factors
from feedback_app.accounts.models import AuditEvent, Role, SecondFactor, User
from feedback_app.accounts.requests import TokenRequest
from feedback_app.accounts.tokens import make_token

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough phrase"
LOGIN, CODE, OWN = (reverse(f"accounts:{one}") for one in ("login", "code", "second-factor"))


@pytest.fixture
def vera() -> User:
    return User.objects.create_user("vera", password=PASSWORD, role=Role.COORDINATOR)


@pytest.fixture
def codes(vera: User) -> list[str]:
    """The recovery codes of Vera's second factor."""
    secret = second_factors.new_secret()
    before = pyotp.TOTP(secret).at(time.time() - second_factors.STEP_S)
    return second_factors.set_up(vera, secret=secret, code=before, address=None)


def code_of(person: User, *, steps: int = 0) -> str:
    secret = SecondFactor.objects.get(person=person).secret
    return pyotp.TOTP(secret).at(time.time() + steps * second_factors.STEP_S)


def give_password(client: Client) -> None:
    answer = client.post(LOGIN, {"username": "vera", "password": PASSWORD, "next": "/notices/"})
    assert answer["Location"] == CODE
    assert "_auth_user_id" not in client.session


def test_the_password_alone_logs_nobody_in_and_a_code_does_once(
    client: Client, vera: User, codes: list[str]
) -> None:
    give_password(client)
    assert client.get("/notices/").status_code == 302
    assert "code is wrong" in client.post(CODE, {"code": "000000"}).content.decode()
    right = code_of(vera)
    assert client.post(CODE, {"code": f"{right[:3]} {right[3:]}"})["Location"] == "/notices/"
    assert client.get("/notices/").status_code == 200
    events = AuditEvent.objects.filter(target="vera")
    assert events.get(action="login.succeeded").details == {"by": "password and code"}
    assert events.get(action="login.failed").details == {"at": "the second factor"}

    other = Client()
    give_password(other)
    assert other.post(CODE, {"code": right}).status_code == 200  # seen over the shoulder
    assert other.post(CODE, {"code": codes[0].upper()}).status_code == 302
    third = Client()
    give_password(third)
    assert third.post(CODE, {"code": codes[0]}).status_code == 200
    assert second_factors.codes_left(vera) == len(codes) - 1


def test_a_code_is_of_now_give_or_take_a_step(vera: User, codes: list[str]) -> None:
    assert not second_factors.accepts(vera, code_of(vera, steps=-5))
    assert not second_factors.accepts(vera, code_of(vera, steps=5))
    assert second_factors.accepts(vera, code_of(vera, steps=1))
    assert not second_factors.accepts(vera, code_of(vera))  # older than the newest that was taken


def test_codes_follow_the_published_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 6238, appendix B: the last six digits at 59 s and at 1,111,111,109 s."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for at, code in ((59, "287082"), (1_111_111_109, "081804")):
        monkeypatch.setattr(time, "time", lambda at=at: float(at))
        assert second_factors.step_of(secret, code) == at // 30


def test_guessed_codes_lock_like_guessed_passwords(
    client: Client, settings: Settings, vera: User, codes: list[str]
) -> None:
    settings.LOGIN_FAILURES = settings.AXES_FAILURE_LIMIT = 3
    give_password(client)
    answers = [client.post(CODE, {"code": f"00000{one}"}).status_code for one in range(3)]
    assert answers == [200, 200, 429]
    assert "00000" not in str(AccessAttempt.objects.values_list("post_data", flat=True))
    assert client.post(CODE, {"code": code_of(vera)}).status_code == 429
    again = Client()
    answer = again.post(LOGIN, {"username": "vera", "password": PASSWORD})
    assert answer.status_code == 429


def test_the_right_password_is_forgotten_after_a_while_and_with_another_one(
    client: Client, vera: User, codes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    give_password(client)
    vera.set_password("another long enough phrase")
    vera.save()
    assert client.post(CODE, {"code": code_of(vera)})["Location"] == LOGIN
    vera.set_password(PASSWORD)
    vera.save()
    give_password(client)
    later = time.time() + 301
    monkeypatch.setattr(time, "time", lambda: later)
    assert client.post(CODE, {"code": code_of(vera)})["Location"] == LOGIN
    assert client.get(CODE)["Location"] == LOGIN


def test_whoever_finds_a_page_open_can_neither_set_up_nor_remove_one(
    vera: User, client_of: Callable[[User], Client]
) -> None:
    client = client_of(vera)
    page = client.get(OWN).content.decode()
    secret = client.session["second_factor_to_confirm"]
    assert "<svg" in page and all(secret[start : start + 4] in page for start in range(0, 32, 4))
    right = {"code": pyotp.TOTP(secret).now(), "password": PASSWORD}
    assert client.post(OWN, right | {"password": "wrong"}).status_code == 400
    assert client.post(OWN, right | {"code": "000000"}).status_code == 400
    assert not second_factors.is_set_up(vera)
    made = client.post(OWN, right).content.decode()
    assert made.count("<li>") == second_factors.RECOVERY_CODES
    assert client.post(OWN, {"code": "000000", "action": "remove"}).status_code == 400
    assert second_factors.is_set_up(vera)
    ahead = code_of(vera, steps=1)
    assert client.post(OWN, {"code": ahead, "action": "remove"}).status_code == 302
    assert not second_factors.is_set_up(vera)
    actions = AuditEvent.objects.filter(actor=vera, action__startswith="user.")
    assert {one.action for one in actions} == {
        "user.second_factor_added", "user.second_factor_removed",
    }  # fmt: skip


def test_new_recovery_codes_end_the_old_ones(
    vera: User, codes: list[str], client_of: Callable[[User], Client]
) -> None:
    answer = client_of(vera).post(OWN, {"code": codes[0], "action": "renew"})
    assert answer.status_code == 200
    assert not second_factors.accepts(vera, codes[1])
    assert second_factors.codes_left(vera) == second_factors.RECOVERY_CODES


def test_a_role_may_need_a_second_factor(
    client: Client, settings: Settings, vera: User, rosa_client: Client
) -> None:
    settings.SECOND_FACTOR_ROLES = ["coordinator", "admin"]
    assert rosa_client.get("/read/").status_code == 200
    client.post(LOGIN, {"username": "vera", "password": PASSWORD})
    assert client.get("/read/")["Location"] == OWN
    assert client.get("/api/runs/").json()["error"]["code"] == "second_factor_required"
    _, token = make_token(TokenRequest(name="nightly", role="coordinator"), owner=vera, by=None)
    program = Client(headers={"Authorization": f"Bearer {token}"})
    assert program.get("/api/runs/").status_code == 200
    client.get(OWN)
    secret = client.session["second_factor_to_confirm"]
    client.post(OWN, {"code": pyotp.TOTP(secret).now(), "password": PASSWORD})
    assert client.get("/read/").status_code == 200
    client.post(OWN, {"code": code_of(vera, steps=1), "action": "remove"})
    assert client.get("/read/")["Location"] == OWN


def test_an_admin_resets_a_lost_one_on_the_page_by_api_and_by_command(
    vera: User, codes: list[str], ada: User, ada_client: Client, client: Client
) -> None:
    page = ada_client.get(reverse("accounts:person", args=[vera.pk])).content.decode()
    assert "Reset second factor" in page
    ada_client.post(reverse("accounts:reset-second-factor", args=[vera.pk]))
    event = AuditEvent.objects.get(action="user.second_factor_reset")
    assert (event.actor, event.target) == (ada, "vera")
    answer = client.post(LOGIN, {"username": "vera", "password": PASSWORD, "next": "/read/"})
    assert answer["Location"] == "/read/"
    again = ada_client.post(
        reverse("api:person-reset-second-factor", args=[vera.pk]), content_type="application/json"
    )
    assert again.status_code == 400
    with pytest.raises(CommandError, match="no second factor"):
        call_command("reset_second_factor", "vera")


@pytest.mark.browser
def test_a_person_sets_one_up_and_logs_in_with_it(
    page: Page, live_server: LiveServer, committed: None
) -> None:
    vera = User.objects.create_user("vera", password=PASSWORD)
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)

    def log_in() -> None:
        page.goto("/accounts/login/?next=/accounts/second-factor/")
        page.get_by_label("Name").fill("vera")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()

    log_in()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    secret = page.locator(".secret").inner_text().replace("\n", "").replace(" ", "")
    page.get_by_label("Code", exact=True).fill(pyotp.TOTP(secret).now())
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Set it up").click()
    codes = page.locator(".recovery-codes li").all_inner_texts()
    assert len(codes) == second_factors.RECOVERY_CODES
    page.get_by_role("button", name="Log out").click()
    log_in()
    page.get_by_label("Code").fill(code_of(vera, steps=1))
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Of your recovery codes 10 are left")).to_be_visible()
    assert complaints == []

"""Guessed passwords: who is locked out, for how long, and from where."""

from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.db.models import F
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import Settings

from feedback_app.accounts import throttle
from feedback_app.accounts.addresses import client_address, counted
from feedback_app.accounts.models import AuditEvent, User

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough phrase"
HOME, ELSEWHERE = "10.1.1.1", "10.2.2.2"


@pytest.fixture(autouse=True)
def limits(settings: Settings) -> None:
    settings.LOGIN_FAILURES = settings.AXES_FAILURE_LIMIT = 3
    settings.LOGIN_FAILURES_PER_ADDRESS = 8


@pytest.fixture
def vera() -> User:
    return User.objects.create_user("vera", password=PASSWORD)


def log_in(name: str, password: str = "wrong", *, at: str = HOME, **headers: str) -> Any:
    return Client(REMOTE_ADDR=at).post(
        reverse("accounts:login"),
        {"username": name, "password": password},
        headers=headers,
    )


def fail(name: str, times: int, *, at: str = HOME) -> list[int]:
    return [log_in(name, at=at).status_code for _ in range(times)]


def test_a_name_is_locked_at_an_address_after_its_failures(vera: User) -> None:
    assert fail("vera", 3) == [200, 200, 429]
    assert log_in("vera", PASSWORD).status_code == 429


def test_a_locked_login_says_how_long_to_wait(vera: User) -> None:
    fail("vera", 3)
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=10))
    response = log_in("vera", PASSWORD)
    assert "in 5 minutes" in response.content.decode()
    assert response["Retry-After"] == "300"


def test_a_lock_does_not_reach_another_address(vera: User) -> None:
    fail("vera", 3)
    assert log_in("vera", PASSWORD, at=ELSEWHERE).status_code == 302


def test_a_lock_ends_by_itself_and_trying_in_vain_does_not_prolong_it(vera: User) -> None:
    fail("vera", 3)
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=14))
    assert fail("vera", 4) == [429] * 4
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=1))
    assert log_in("vera", PASSWORD).status_code == 302


def test_an_address_that_tries_many_names_is_locked_for_all_of_them(vera: User) -> None:
    for name in ("ann", "bob", "cy", "dan"):
        assert fail(name, 2)[0] == 200
    assert log_in("vera", PASSWORD).status_code == 429
    assert log_in("vera", PASSWORD, at=ELSEWHERE).status_code == 302


def test_logging_in_clears_ones_own_failures_but_not_the_addresss(vera: User) -> None:
    for name in ("ann", "bob", "cy"):
        fail(name, 2)
    fail("vera", 1)
    assert log_in("vera", PASSWORD).status_code == 302
    assert not AccessAttempt.objects.filter(username="vera").exists()
    assert fail("dan", 2) == [200, 429]


def test_guesses_at_a_page_that_was_left_open_are_locked_too(vera: User) -> None:
    client = Client(REMOTE_ADDR=HOME)
    client.force_login(vera)
    fields = {"new_password1": "quiet lungs at dawn", "new_password2": "quiet lungs at dawn"}
    address = reverse("accounts:password")
    tries = [client.post(address, {**fields, "old_password": f"{n}"}).status_code for n in range(3)]
    assert tries == [200, 200, 429]
    assert client.post(address, {**fields, "old_password": PASSWORD}).status_code == 429
    vera.refresh_from_db()
    assert vera.check_password(PASSWORD)
    assert log_in("vera", PASSWORD).status_code == 429


def test_another_browser_does_not_help(vera: User) -> None:
    for agent in ("one", "two", "three"):
        log_in("vera", **{"user-agent": agent})
    assert log_in("vera", PASSWORD, **{"user-agent": "four"}).status_code == 429


def test_a_forwarded_address_of_nobodys_proxy_is_not_believed(vera: User) -> None:
    for number in range(3):
        log_in("vera", **{"x-forwarded-for": f"10.9.9.{number}"})
    assert log_in("vera", PASSWORD, **{"x-forwarded-for": "10.9.9.9"}).status_code == 429


@pytest.mark.parametrize(
    ("remote", "forwarded", "client"),
    [
        ("10.1.1.1", "", "10.1.1.1"),
        ("10.1.1.1", "1.2.3.4", "10.1.1.1"),
        ("172.16.0.5", "1.2.3.4", "1.2.3.4"),
        ("172.16.0.5", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("172.16.0.5", "6.6.6.6, 1.2.3.4, 172.16.0.9", "1.2.3.4"),
        ("172.16.0.5", "nonsense", "172.16.0.5"),
        ("172.16.0.5", "", "172.16.0.5"),
        ("172.16.0.5", "2001:db8::1", "2001:db8::1"),
        ("172.16.0.5", "1.2.3.4:51234", "1.2.3.4"),
        ("172.16.0.5", "[2001:db8::1]:51234", "2001:db8::1"),
        ("172.16.0.5", "1.2.3.4, [2001:db8::2]", "2001:db8::2"),
        ("::ffff:172.16.0.5", "1.2.3.4", "1.2.3.4"),
        ("172.16.0.5", "1.2.3.4:80:80", "172.16.0.5"),
        ("", "1.2.3.4", None),
    ],
)
def test_the_client_is_whom_the_last_trusted_proxy_heard_from(
    settings: Settings, remote: str, forwarded: str, client: str | None
) -> None:
    settings.TRUSTED_PROXIES = [ip_network("172.16.0.0/12")]
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=remote)
    assert client_address(request) == client


def test_the_locks_are_listed_for_admins_who_can_unlock(vera: User, ada_client: Client) -> None:
    fail("vera", 3)
    assert [(lock.username, lock.address) for lock in throttle.current_locks()] == [("vera", HOME)]
    assert "Locked logins" in ada_client.get(reverse("accounts:people")).content.decode()
    ada_client.post(reverse("accounts:unlock"), {"username": "vera", "address": HOME})
    assert log_in("vera", PASSWORD).status_code == 302
    assert AuditEvent.objects.filter(action="login.unlocked", target="vera").count() == 1


def test_unlocking_an_address_unlocks_all_names_at_it(vera: User, ada_client: Client) -> None:
    for name in ("ann", "bob", "cy", "dan"):
        fail(name, 2)
    ada_client.post(reverse("accounts:unlock"), {"username": "", "address": HOME})
    assert throttle.current_locks() == []
    assert log_in("vera", PASSWORD).status_code == 302


def test_what_is_not_locked_cannot_be_unlocked(vera: User, ada_client: Client) -> None:
    fail("vera", 2)
    ada_client.post(reverse("accounts:unlock"), {"username": "vera", "address": HOME})
    ada_client.post(reverse("accounts:unlock"), {})
    assert AccessAttempt.objects.get().failures_since_start == 2


def test_a_name_that_is_guessed_at_from_many_addresses_is_locked(
    vera: User, settings: Settings, ada_client: Client
) -> None:
    settings.LOGIN_FAILURES_PER_NAME = 6
    answers = [log_in("vera", at=f"10.3.{number}.1").status_code for number in range(6)]
    assert answers == [200] * 5 + [429]
    assert log_in("vera", PASSWORD, at="10.4.4.4").status_code == 429
    page = ada_client.get(reverse("accounts:people")).content.decode()
    assert "wherever they have not logged in before" in page
    ada_client.post(reverse("accounts:unlock"), {"username": "vera", "address": ""})
    assert log_in("vera", PASSWORD, at="10.4.4.4").status_code == 302


def test_nobody_is_locked_out_from_afar_of_where_they_logged_in_before(
    vera: User, settings: Settings
) -> None:
    settings.LOGIN_FAILURES_PER_NAME = 6
    assert log_in("vera", PASSWORD, at=ELSEWHERE).status_code == 302
    for number in range(8):
        log_in("vera", at=f"10.3.{number}.1")
    assert log_in("vera", PASSWORD, at=HOME).status_code == 429
    assert log_in("vera", PASSWORD, at=ELSEWHERE).status_code == 302
    assert fail("vera", 3, at=ELSEWHERE)[-1] == 429  # where they are known, guesses count too


def test_addresses_of_one_ipv6_network_count_as_one(vera: User) -> None:
    tries = [log_in("vera", at=f"2001:db8:0:1:{number:x}::1").status_code for number in range(3)]
    assert tries == [200, 200, 429]
    assert log_in("vera", PASSWORD, at="2001:db8:0:1::9").status_code == 429
    assert log_in("vera", PASSWORD, at="2001:db8:0:2::9").status_code == 302
    assert [lock.address for lock in throttle.current_locks()] == ["2001:db8:0:1::"]
    assert AuditEvent.objects.filter(address="2001:db8:0:1:2::1").exists()  # the whole one is kept


def test_an_ipv4_address_in_ipv6s_clothes_is_the_ipv4_address() -> None:
    assert counted("::ffff:10.1.1.1") == counted("10.1.1.1") == "10.1.1.1"


def test_the_django_admin_has_no_login_of_its_own(vera: User) -> None:
    answer = Client().post(
        f"{reverse('admin:login')}?next=/admin/", {"username": "vera", "password": PASSWORD}
    )
    assert answer["Location"] == f"{reverse('accounts:login')}?next=/admin/"

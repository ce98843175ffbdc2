"""How long a login lasts, and what prolongs it."""

from collections.abc import Callable

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from feedback_app.accounts.models import AuditEvent, User
from feedback_app.accounts.sessions import ACTIVE_AT, BEGAN_AT

pytestmark = pytest.mark.django_db

ADDRESS = "/accounts/session/"
BACKGROUND = {"X-Background": "1"}


def age(client: Client, seconds: float, *stamps: str) -> None:
    """As if so much time had gone by since the login, or since the last thing that was done."""
    session = client.session
    for stamp in stamps or (BEGAN_AT, ACTIVE_AT):
        session[stamp] -= seconds
    session.save()


def remaining_s(client: Client) -> int:
    return int(client.get(ADDRESS).json()["remaining_s"])


def test_a_login_ends_after_an_idle_hour(rosa_client: Client) -> None:
    age(rosa_client, 3601)
    response = rosa_client.get(reverse("readings:worklist"))
    assert response["Location"].startswith(reverse("accounts:login"))
    assert "_auth_user_id" not in rosa_client.session


def test_what_somebody_does_prolongs_it(rosa_client: Client) -> None:
    age(rosa_client, 3000)
    rosa_client.get(reverse("readings:worklist"))
    assert remaining_s(rosa_client) > 3590


def test_nothing_prolongs_it_beyond_the_absolute_end(rosa_client: Client) -> None:
    age(rosa_client, 12 * 3600 - 100, BEGAN_AT)
    rosa_client.post(ADDRESS)
    assert 0 < remaining_s(rosa_client) <= 100
    age(rosa_client, 100, BEGAN_AT)
    assert rosa_client.get(reverse("readings:worklist")).status_code == 302


def test_asking_how_long_it_lasts_does_not_prolong_it(rosa_client: Client) -> None:
    age(rosa_client, 3500)
    assert [remaining_s(rosa_client) <= 100 for _ in range(3)] == [True] * 3


def test_staying_logged_in_prolongs_it(rosa_client: Client) -> None:
    age(rosa_client, 3500)
    answer = rosa_client.post(ADDRESS).json()
    assert answer["remaining_s"] > 3590
    assert answer["warn_s"] == 120


@pytest.mark.parametrize("view", ["runs:list", "studies:list"])
def test_a_page_that_refreshes_itself_does_not_prolong_it(cora_client: Client, view: str) -> None:
    age(cora_client, 3500)
    assert cora_client.get(reverse(view), headers=BACKGROUND).status_code == 200
    assert remaining_s(cora_client) <= 100


def test_a_page_that_refreshes_itself_is_logged_out_at_the_end(cora_client: Client) -> None:
    age(cora_client, 3601)
    assert cora_client.get(reverse("runs:list"), headers=BACKGROUND).status_code == 302


def test_not_every_click_writes_the_session(
    rosa_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    rosa_client.get(reverse("accounts:password"))
    with django_assert_num_queries(2) as queries:  # user and notices; the session is in the cache
        rosa_client.get(reverse("accounts:password"))
    assert not [query for query in queries if query["sql"].startswith("UPDATE")]


def test_nobody_is_told_401(client: Client) -> None:
    response = client.get(ADDRESS)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "not_authenticated"


def test_a_page_of_somebody_else_is_told_401(rosa_client: Client, rosa: User, ravi: User) -> None:
    assert rosa_client.get(ADDRESS, headers={"X-Reader": str(rosa.pk)}).status_code == 200
    assert rosa_client.get(ADDRESS, headers={"X-Reader": str(ravi.pk)}).status_code == 401


def test_the_api_says_that_the_login_has_ended(rosa_client: Client) -> None:
    age(rosa_client, 3601)
    slot = reverse("api:slot", args=["00000000-0000-0000-0000-000000000000"])
    assert rosa_client.get(slot).json()["error"]["code"] == "not_authenticated"


def test_the_end_is_in_the_audit_log(rosa_client: Client, rosa: User) -> None:
    age(rosa_client, 3601)
    rosa_client.get(reverse("readings:worklist"))
    event = AuditEvent.objects.get(action="logout")
    assert (event.actor, event.details) == (rosa, {"because": "time"})


def test_a_login_of_before_there_were_limits_goes_on(rosa_client: Client) -> None:
    session = rosa_client.session
    del session[BEGAN_AT], session[ACTIVE_AT]
    session.save()
    assert rosa_client.get(reverse("readings:worklist")).status_code == 200
    assert remaining_s(rosa_client) > 3590


def test_a_deactivated_persons_login_ends_at_once(
    client_of: Callable[[User], Client], rosa: User, settings: Settings
) -> None:
    client = client_of(rosa)
    User.objects.filter(pk=rosa.pk).update(is_active=False)
    assert client.get(reverse("readings:worklist")).status_code == 302
    assert client.get(ADDRESS).status_code == 401


def test_the_cookie_is_not_for_scripts_or_other_sites(client: Client) -> None:
    User.objects.create_user("vera", password="a long enough phrase")
    client.post(reverse("accounts:login"), {"username": "vera", "password": "a long enough phrase"})
    cookie = client.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert Session.objects.count() == 1

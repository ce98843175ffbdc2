"""Login and roles."""

from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import Role, User

pytestmark = pytest.mark.django_db


def test_nobody_is_sent_to_the_login_and_back(client: Client) -> None:
    response = client.get(reverse("home"))
    assert response.status_code == 302
    assert response["Location"] == f"{reverse('accounts:login')}?next=/"


def test_a_wrong_password_says_so_and_logs_nobody_in(client: Client, rosa: User) -> None:
    response = client.post(
        reverse("accounts:login"), {"username": rosa.username, "password": "wrong"}
    )
    assert response.status_code == 200
    assert b"correct username and password" in response.content
    assert "_auth_user_id" not in client.session


def test_logging_in_leads_to_the_page_that_was_asked_for(client: Client) -> None:
    User.objects.create_user("vera", password="a long enough phrase")
    response = client.post(
        reverse("accounts:login"),
        {"username": "vera", "password": "a long enough phrase", "next": "/read/"},
    )
    assert response["Location"] == "/read/"


def test_a_simulated_reader_can_only_be_a_reader() -> None:
    with pytest.raises(IntegrityError):
        User.objects.create_user("robot", role=Role.ADMIN, is_simulated=True)


def test_a_simulated_reader_cannot_log_in(client: Client) -> None:
    User.objects.create_user("robot", is_simulated=True)
    response = client.post(reverse("accounts:login"), {"username": "robot", "password": ""})
    assert response.status_code == 200


def test_an_admin_is_a_coordinator_too() -> None:
    assert User(role=Role.ADMIN).is_coordinator
    assert not User(role=Role.COORDINATOR).is_admin
    assert not User(role=Role.READER).is_coordinator


def test_the_first_account_of_an_installation_is_an_admin(
    client_of: Callable[[User], Client],
) -> None:
    call_command("createsuperuser", "--noinput", username="first", email="first@example.org")
    client = client_of(User.objects.get())
    assert client.get(reverse("exports:list")).status_code == 200
    assert client.get(reverse("admin:index")).status_code == 200

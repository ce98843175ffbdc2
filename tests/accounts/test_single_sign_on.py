"""Single sign-on: who comes in, as whom and with which role; once with a real provider."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from feedback_app import environment
from feedback_app.accounts import services
from feedback_app.accounts.models import AuditEvent, Identity, Role, User
from feedback_app.accounts.single_sign_on import SignOnRefusedError, person_for
from tests.web_server import free_port

pytestmark = pytest.mark.django_db

ISSUER = "https://login.example.org/realms/hospital"
ROLES = {"staff": "reader", "leads": "coordinator", "cn=it,ou=all": "admin"}


@pytest.fixture(autouse=True)
def sign_on(settings: Settings) -> None:
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = ISSUER, "us", "s"
    settings.OIDC_ROLES = ROLES


def claims(name: str, *groups: str, subject: str = "", **more: Any) -> dict[str, Any]:
    subject = subject or f"id of {name}"
    known = {"iss": ISSUER, "sub": subject, "preferred_username": name, "groups": list(groups)}
    return known | more


def come(name: str, *groups: str, **more: Any) -> User:
    return person_for(claims(name, *groups, **more), address="10.0.0.7")


def test_only_known_people_come_in_unless_the_setting_adds_them(settings: Settings) -> None:
    with pytest.raises(SignOnRefusedError, match="Nobody here is called 'nora'"):
        come("nora", "staff")
    settings.OIDC_ADDS_PEOPLE = True
    nora = come(
        "nora", "staff", "leads", given_name="Nora", email="n@example.org", email_verified=True
    )
    assert (nora.role, nora.first_name, nora.email) == (Role.COORDINATOR, "Nora", "n@example.org")
    assert not nora.has_usable_password()
    with pytest.raises(SignOnRefusedError, match="None of your groups"):
        come("paul", "cleaners")
    with pytest.raises(SignOnRefusedError, match="No account can be made"):
        come("no name!", "staff")
    assert not User.objects.exclude(pk=nora.pk).exists()


def test_a_person_is_known_by_the_subject_whatever_their_name_becomes(rosa: User) -> None:
    assert come("rosa", "staff", subject="1") == rosa
    assert come("rosa.married", "staff", subject="1") == rosa
    with pytest.raises(SignOnRefusedError, match="belongs to somebody else"):
        come("rosa", "staff", subject="2")
    services.forget_sign_on(rosa, by=None)
    assert come("rosa", "staff", subject="2") == rosa
    assert Identity.objects.get().subject == "2"


def test_a_first_password_that_nobody_used_ends_with_the_link(rosa: User) -> None:
    services.reset_password(rosa, by=None)
    linked = come("rosa", "staff")
    linked.refresh_from_db()
    assert not linked.has_usable_password() and not linked.must_change_password


def test_roles_follow_the_groups_at_each_login_and_are_audited(rosa: User, ada: User) -> None:
    assert come("rosa", "cn=it,ou=all").role == Role.ADMIN
    assert come("rosa", "staff").role == Role.READER
    changes = AuditEvent.objects.filter(action="user.role_changed").order_by("pk")
    assert [one.details["role"] for one in changes] == [["reader", "admin"], ["admin", "reader"]]
    assert all(one.details["by_groups"] for one in changes)
    with pytest.raises(SignOnRefusedError, match="None of your groups"):
        come("rosa")


def test_a_group_cannot_demote_the_last_admin_or_a_superuser(ada: User, rosa: User) -> None:
    assert come("ada", "staff").role == come("ada").role == Role.ADMIN
    assert AuditEvent.objects.filter(action="user.role_kept", target="ada").count() == 2
    boss = User.objects.create_superuser("boss")
    come("boss", "staff")
    boss.refresh_from_db()
    assert boss.is_superuser
    demoted = come("ada", "staff")  # there is another one now
    assert (demoted.role, demoted.is_staff) == (Role.READER, False)


def test_without_roles_of_groups_admins_give_them(settings: Settings, cora: User) -> None:
    settings.OIDC_ROLES = {}
    settings.OIDC_ADDS_PEOPLE = True
    assert come("cora", "cn=it,ou=all").role == Role.COORDINATOR
    assert come("nora").role == Role.READER


def test_a_closed_account_stays_out(rosa: User, ada: User) -> None:
    come("rosa", "staff")
    services.deactivate(rosa, by=ada)
    with pytest.raises(SignOnRefusedError, match="is closed"):
        come("rosa", "staff")
    User.objects.create_user("robot", is_simulated=True)
    with pytest.raises(SignOnRefusedError, match="is closed"):
        come("robot", "staff")


def test_a_provider_that_is_away_is_said_and_the_password_still_works(
    client: Client, settings: Settings
) -> None:
    settings.OIDC_ISSUER = f"http://127.0.0.1:{free_port()}"
    assert "Log in with single sign-on" in client.get(reverse("accounts:login")).content.decode()
    answer = client.get(reverse("accounts:sign-on"))
    assert answer.status_code == 403
    assert "does not answer" in answer.content.decode()
    forged = client.get(reverse("accounts:sign-on-return"), {"code": "x", "state": "y"})
    assert forged.status_code == 403
    assert "_auth_user_id" not in client.session
    User.objects.create_user("vera", password="a long enough phrase")
    vera = {"username": "vera", "password": "a long enough phrase"}
    assert client.post(reverse("accounts:login"), vera).status_code == 302


def test_nothing_of_it_is_loaded_where_it_is_off() -> None:
    asked = (
        "import sys, django; django.setup(); from django.test import Client; "
        "assert Client().get('/accounts/login/').status_code == 200; "
        "print(sorted({'authlib', 'joserfc', 'requests'} & set(sys.modules)))"
    )
    product = {**os.environ, "DJANGO_SETTINGS_MODULE": "feedback_app.settings"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", asked],
        capture_output=True, text=True, check=True,
        env=product | {"DEBUG": "true", "ALLOWED_HOSTS": "testserver"},
    )  # fmt: skip
    assert "authlib" not in done.stdout and "joserfc" not in done.stdout


def test_settings_that_cannot_be_meant_stop_the_start() -> None:
    read = environment.roles_of_groups("ANY", "cn=it,ou=all=admin; staff = reader;")
    assert read == {"cn=it,ou=all": "admin", "staff": "reader"}
    for written in ("staff=boss", "reader"):
        with pytest.raises(ImproperlyConfigured, match="ANY"):
            environment.roles_of_groups("ANY", written)
    with pytest.raises(ImproperlyConfigured, match="ANY"):
        environment.roles("ANY", ["reader", "boss"])
    with pytest.raises(ImproperlyConfigured, match="ANY"):
        environment.issuer("ANY", "http://login.example.org")


# A real provider.

READY_LIMIT_S = 120

PEOPLE = (
    {"sub": "s-1", "preferred_username": "nora", "given_name": "Nora", "groups": ["leads"]},
    {"sub": "s-2", "preferred_username": "paul", "groups": ["cleaners"]},
)


def wait_for_answer(address: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_LIMIT_S
    while True:
        assert process.poll() is None, "the provider ended"
        assert time.monotonic() < deadline, "the provider does not answer"
        try:
            requests.get(address, timeout=5).raise_for_status()
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return


@pytest.fixture
def provider(settings: Settings, tmp_path: Path) -> Iterator[str]:
    port = free_port()
    people = [word for one in PEOPLE for word in ("--user-claims", json.dumps(one))]
    with (tmp_path / "provider.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "-H", "127.0.0.1",
             "--require-nonce", "true", *people],
            stdout=log, stderr=log, env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
        settings.OIDC_ISSUER = f"http://127.0.0.1:{port}"
        try:
            wait_for_answer(f"{settings.OIDC_ISSUER}/.well-known/openid-configuration", process)
            yield settings.OIDC_ISSUER
        finally:
            process.kill()
            process.wait()


@pytest.mark.browser
def test_a_person_comes_in_by_a_real_provider(
    provider: str, page: Page, committed: None, settings: Settings, live_server: LiveServer
) -> None:
    settings.OIDC_ADDS_PEOPLE = True
    settings.OIDC_NAME = "the hospital's login"
    settings.SECOND_FACTOR_ROLES = ["coordinator"]  # asked for by the provider, if at all

    page.route("**cdn**", lambda route: route.abort())  # the provider's looks

    def come_as(subject: str) -> None:
        page.context.clear_cookies()
        page.goto("/accounts/login/?next=/studies/")
        page.get_by_role("link", name="Log in with the hospital's login").click()
        page.get_by_role("button", name=subject).click()

    come_as("s-1")
    expect(page).to_have_url(f"{live_server.url}/studies/")
    expect(page.get_by_text("Nora")).to_be_visible()
    come_as("s-2")
    expect(page.get_by_role("heading", name="Not logged in")).to_be_visible()
    refused = AuditEvent.objects.get(action="login.refused")
    assert refused.details["because"] == "no role"
    assert User.objects.get().identities.get().subject == "s-1"

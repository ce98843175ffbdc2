"""The audit log: what gets into it, that nothing gets out, and its page."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import AuditEvent, User

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough phrase"


@pytest.fixture
def vera() -> User:
    return User.objects.create_user("vera", password=PASSWORD)


def try_login(client: Client, name: str, password: str) -> None:
    client.post(reverse("accounts:login"), {"username": name, "password": password})


def log() -> list[tuple[str, str | None, str]]:
    return [
        (event.action, event.actor.username if event.actor else None, event.target)
        for event in AuditEvent.objects.order_by("pk").select_related("actor")
    ]


def shown(client: Client, **filters: Any) -> list[str]:
    page = client.get(reverse("accounts:audit"), filters).context["page"]
    return [event.action for event in page]


def test_logins_and_logouts_are_logged_with_their_address(client: Client, vera: User) -> None:
    try_login(client, "vera", "wrong")
    try_login(client, "vera", PASSWORD)
    client.post(reverse("accounts:logout"))
    assert log() == [
        ("login.failed", None, "vera"),
        ("login.succeeded", "vera", "vera"),
        ("logout", "vera", "vera"),
    ]
    assert set(AuditEvent.objects.values_list("address", flat=True)) == {"127.0.0.1"}


def test_a_lock_is_logged_once_however_often_it_is_tried(client: Client, vera: User) -> None:
    for _ in range(9):
        try_login(client, "vera", "wrong")
    assert log() == [("login.failed", None, "vera")] * 4 + [("login.locked", None, "vera")]


def test_a_name_that_nobody_has_is_not_kept(client: Client) -> None:
    try_login(client, "my secret password", "vera")
    assert log() == [("login.failed", None, "unknown name")]


def test_a_line_can_be_neither_changed_nor_removed(vera: User) -> None:
    record("study.opened", actor=vera)
    for change in (
        lambda: AuditEvent.objects.update(action="nothing"),
        lambda: AuditEvent.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change()
    assert AuditEvent.objects.get().action == "study.opened"


def test_the_page_finds_by_person_action_and_day(
    ada: User, ada_client: Client, vera: User, rosa: User
) -> None:
    record("study.opened", actor=vera)
    record("user.deactivated", actor=ada, target="vera", target_id=vera.pk)
    record("study.closed", actor=rosa)
    assert shown(ada_client)[:3] == ["study.closed", "user.deactivated", "study.opened"]
    assert shown(ada_client, person=vera.pk) == ["user.deactivated", "study.opened"]
    assert shown(ada_client, action="study.closed") == ["study.closed"]
    assert shown(ada_client, last="2001-01-01") == []
    assert len(shown(ada_client, first="2001-01-01")) == 4


def test_a_day_is_a_day_of_the_sites_time_zone(ada_client: Client, settings: object) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"  # type: ignore[attr-defined]
    late = datetime(2026, 3, 1, 23, 30, tzinfo=ZoneInfo("Asia/Tokyo"))
    for at in (late, late + timedelta(hours=1)):
        AuditEvent.objects.create(action="study.opened", at=at)
    day = {"first": "2026-03-01", "last": "2026-03-01"}
    page = ada_client.get(reverse("accounts:audit"), day).context["page"]
    assert [event.at for event in page] == [late]


def test_a_filter_that_makes_no_sense_shows_nothing(ada_client: Client) -> None:
    assert shown(ada_client, first="yesterday") == []


def test_the_page_is_paginated(ada_client: Client) -> None:
    for number in range(60):
        record("study.changed", actor=None, target=str(number))
    assert len(shown(ada_client, action="study.changed")) == 50
    assert len(shown(ada_client, action="study.changed", page=2)) == 10


def test_the_download_has_all_that_the_filters_let_through(ada_client: Client, vera: User) -> None:
    for number in range(60):
        record("study.changed", actor=vera, target=f"Study {number}", details={"n": number})
    answer = ada_client.get(reverse("accounts:audit_csv"), {"person": vera.pk})
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert len(rows) == 60
    assert rows[0] | {"at": ""} == {
        "at": "",
        "person": "vera",
        "action": "study.changed",
        "target": "Study 59",
        "target_id": "",
        "details": '{"n": 59}',
        "address": "",
    }


def test_a_spreadsheet_finds_no_formula_in_the_download(ada_client: Client) -> None:
    record("study.changed", actor=None, target='=HYPERLINK("http://x")')
    answer = ada_client.get(reverse("accounts:audit_csv"), {"action": "study.changed"})
    (row,) = csv.DictReader(io.StringIO(answer.getvalue().decode()))
    assert row["target"].startswith("'=")

"""Passwords, and the admins' pages for people."""

import re
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback_app.accounts import services
from feedback_app.accounts.models import AuditEvent, Role, User
from feedback_app.accounts.services import temporary_password
from generation.errors import RemediableError

pytestmark = pytest.mark.django_db

TEMPORARY = re.compile(r"[a-z2-9]{4}(?:-[a-z2-9]{4}){3}")
CHOSEN = "quiet lungs at dawn"


def actions() -> list[str]:
    events = AuditEvent.objects.exclude(action__startswith="login.").order_by("pk")
    return list(events.values_list("action", flat=True))


def given_password(response_text: str) -> str:
    found = re.search(f'class="password">({TEMPORARY.pattern})<', response_text)
    assert found
    return found[1]


def log_in(client: Client, name: str, password: str) -> int:
    credentials = {"username": name, "password": password}
    return client.post(reverse("accounts:login"), credentials).status_code


def change_password(client: Client, old: str, new: str) -> int:
    fields = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post(reverse("accounts:password"), fields).status_code


def test_an_added_person_gets_a_password_and_has_to_change_it(
    ada_client: Client, client: Client
) -> None:
    response = ada_client.post(
        reverse("accounts:add_person"),
        {"username": "vera", "first_name": "Vera", "last_name": "Voss", "role": "coordinator"},
    )
    password = given_password(response.content.decode())
    assert response["Cache-Control"] == "private, no-store"
    assert log_in(client, "vera", password) == 302
    for address in ("/", reverse("studies:list"), reverse("readings:worklist")):
        assert client.get(address)["Location"] == reverse("accounts:password")
    assert change_password(client, password, CHOSEN) == 302
    assert client.get(reverse("studies:list")).status_code == 200
    assert actions() == ["user.added", "password.changed"]


def test_a_given_password_opens_nothing_of_the_api(rosa: User, client: Client) -> None:
    password = services.reset_password(rosa, by=None)
    log_in(client, "rosa", password)
    response = client.get(reverse("api:slot", args=["00000000-0000-0000-0000-000000000000"]))
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "password_change_required"


def test_whoever_must_change_a_password_can_still_log_out(rosa: User, client: Client) -> None:
    log_in(client, "rosa", services.reset_password(rosa, by=None))
    assert client.post(reverse("accounts:logout")).status_code == 302
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("weak", ["short", "1234567890123", "password123", "kellermann2"])
def test_a_weak_password_is_refused(rosa: User, client: Client, weak: str) -> None:
    User.objects.filter(pk=rosa.pk).update(last_name="Kellermann")
    password = services.reset_password(rosa, by=None)
    log_in(client, "rosa", password)
    assert change_password(client, password, weak) == 200
    rosa.refresh_from_db()
    assert rosa.check_password(password)


def test_temporary_passwords_satisfy_the_rules_and_differ() -> None:
    made = {temporary_password() for _ in range(50)}
    assert len(made) == 50
    assert all(TEMPORARY.fullmatch(password) for password in made)


def test_a_reset_logs_the_person_out_and_is_logged(
    ada_client: Client, rosa: User, rosa_client: Client, client: Client
) -> None:
    response = ada_client.post(reverse("accounts:reset_password", args=[rosa.pk]))
    assert rosa_client.get(reverse("readings:worklist")).status_code == 302
    assert log_in(client, "rosa", given_password(response.content.decode())) == 302
    assert "user.password_reset" in actions()


def test_a_new_role_holds_from_the_next_click_on(
    ada_client: Client, rosa: User, rosa_client: Client
) -> None:
    assert rosa_client.get(reverse("studies:list")).status_code == 403
    ada_client.post(
        reverse("accounts:person", args=[rosa.pk]), {"first_name": "Rosa", "role": "coordinator"}
    )
    assert rosa_client.get(reverse("studies:list")).status_code == 200
    event = AuditEvent.objects.get(action="user.role_changed")
    assert event.details == {"role": ["reader", "coordinator"]}


def test_a_deactivated_person_cannot_log_in_until_reactivated(
    ada_client: Client, client: Client
) -> None:
    vera = User.objects.create_user("vera", password=CHOSEN)
    ada_client.post(reverse("accounts:deactivate", args=[vera.pk]))
    assert log_in(client, "vera", CHOSEN) == 200
    ada_client.post(reverse("accounts:reactivate", args=[vera.pk]))
    assert log_in(client, "vera", CHOSEN) == 302
    assert actions() == ["user.deactivated", "user.reactivated"]


def test_every_change_is_logged_with_the_admins_address(ada_client: Client, rosa: User) -> None:
    person = reverse("accounts:person", args=[rosa.pk])
    for address, given in (
        (reverse("accounts:add_person"), {"username": "vera", "role": "reader"}),
        (person, {"first_name": "R.", "role": "reader"}),
        (person, {"first_name": "R.", "role": "coordinator"}),
        (reverse("accounts:reset_password", args=[rosa.pk]), {}),
        (reverse("accounts:deactivate", args=[rosa.pk]), {}),
        (reverse("accounts:reactivate", args=[rosa.pk]), {}),
    ):
        ada_client.post(address, given, REMOTE_ADDR="192.0.2.7")
    events = AuditEvent.objects.filter(action__startswith="user.")
    assert events.count() == 6
    assert {event.address for event in events} == {"192.0.2.7"}


def test_an_admin_can_neither_deactivate_nor_demote_themselves(
    ada: User, ada_client: Client
) -> None:
    ada_client.post(reverse("accounts:deactivate", args=[ada.pk]))
    response = ada_client.post(reverse("accounts:person", args=[ada.pk]), {"role": "reader"})
    assert "This is your own account" in response.content.decode()
    ada.refresh_from_db()
    assert (ada.is_active, ada.role) == (True, Role.ADMIN)


def test_the_last_admin_stays(ada: User) -> None:
    with pytest.raises(RemediableError, match="last admin"):
        services.deactivate(ada, by=None)
    User.objects.create_user("eve", role=Role.ADMIN)
    assert not services.deactivate(ada, by=None).is_active


def test_an_admin_cannot_become_a_superuser_by_resetting_ones_password(
    ada: User, ada_client: Client
) -> None:
    boss = User.objects.create_superuser("boss", password=CHOSEN)
    ada_client.post(reverse("accounts:reset_password", args=[boss.pk]))
    boss.refresh_from_db()
    assert boss.check_password(CHOSEN)


@pytest.mark.parametrize("row", [Role.READER, Role.ADMIN])
def test_a_superuser_is_demoted_in_fact(
    client_of: Callable[[User], Client], ada: User, row: Role
) -> None:
    boss = User.objects.create_superuser("boss", role=row)
    other = client_of(User.objects.create_superuser("other"))
    address = reverse("accounts:person", args=[boss.pk])
    assert '<option value="admin" selected>' in other.get(address).content.decode()
    other.post(address, {"first_name": "Bo", "role": "admin"})
    boss.refresh_from_db()
    assert (boss.is_superuser, boss.first_name) == (True, "Bo")
    other.post(address, {"first_name": "Bo", "role": "reader"})
    boss.refresh_from_db()
    assert (boss.is_superuser, boss.is_staff, boss.role) == (False, False, Role.READER)
    assert not boss.is_coordinator
    assert client_of(boss).get(reverse("accounts:people")).status_code == 403
    event = AuditEvent.objects.filter(action="user.role_changed").latest("at")
    assert event.details["is_superuser"] == [True, False]


def test_an_admin_who_is_no_superuser_cannot_demote_one(ada_client: Client) -> None:
    boss = User.objects.create_superuser("boss")
    page = ada_client.post(reverse("accounts:person", args=[boss.pk]), {"role": "reader"})
    assert "is a superuser" in page.content.decode()
    boss.refresh_from_db()
    assert boss.is_superuser


def test_a_simulated_reader_gets_no_password(ada_client: Client) -> None:
    robot = User.objects.create_user("robot", is_simulated=True)
    ada_client.post(reverse("accounts:reset_password", args=[robot.pk]))
    robot.refresh_from_db()
    assert not robot.has_usable_password()


def test_a_name_is_given_once(ada_client: Client, rosa: User) -> None:
    response = ada_client.post(
        reverse("accounts:add_person"), {"username": "rosa", "role": "reader"}
    )
    assert response.status_code == 400
    assert "already exists" in response.content.decode()


def test_the_django_admins_changes_are_logged_too(
    client_of: Callable[[User], Client], rosa: User
) -> None:
    boss = client_of(User.objects.create_superuser("boss"))
    boss.post(
        reverse("admin:auth_user_password_change", args=[rosa.pk]),
        {"password1": CHOSEN, "password2": CHOSEN, "usable_password": "true"},
    )
    rosa.refresh_from_db()
    assert rosa.check_password(CHOSEN)
    assert AuditEvent.objects.get(action="user.changed").target == "rosa"


def test_a_person_is_added_from_the_command_line(
    capsys: pytest.CaptureFixture[str], client: Client
) -> None:
    call_command("add_user", "vera", "--role", "coordinator")
    found = TEMPORARY.search(capsys.readouterr().out)
    assert found
    assert log_in(client, "vera", found[0]) == 302
    assert User.objects.get().must_change_password
    with pytest.raises(CommandError, match="already exists"):
        call_command("add_user", "vera")


def test_a_command_takes_a_superuser_down_and_the_last_admin_stays(ada: User) -> None:
    root = User.objects.create_superuser("root", password=CHOSEN, role=Role.READER)
    call_command("set_role", "root", "coordinator")
    root.refresh_from_db()
    assert (root.held_role, root.is_superuser, root.is_staff) == (Role.COORDINATOR, False, False)
    User.objects.filter(pk=root.pk).update(is_staff=True)
    call_command("set_role", "root", "reader")
    root.refresh_from_db()
    assert not root.is_staff
    for who, role, said in (("ada", "reader", "the last admin"), ("nobody", "reader", "no person")):
        with pytest.raises(CommandError, match=said):
            call_command("set_role", who, role)


def test_djangos_admin_saves_no_role_that_does_not_hold(client: Client) -> None:
    """A superuser stays an admin whatever role is saved beside, and the last one stays."""
    root = User.objects.create_superuser("root", password=CHOSEN, role=Role.ADMIN)
    client.force_login(root)
    address = reverse("admin:accounts_user_change", args=[root.pk])
    form = {
        "username": "root", "role": "reader", "is_active": "on", "is_staff": "on",
        "date_joined_0": "2026-12-01", "date_joined_1": "00:00:00",
    }  # fmt: skip
    page = client.post(address, form | {"is_superuser": "on"})
    assert "take the superuser status away too" in page.content.decode()
    assert "This is the last admin" in client.post(address, form).content.decode()
    other = User.objects.create_superuser("other", password=CHOSEN, role=Role.ADMIN)
    address = reverse("admin:accounts_user_change", args=[other.pk])
    assert client.post(address, form | {"username": "other"}).status_code == 302
    other.refresh_from_db()
    assert (other.held_role, other.is_superuser) == (Role.READER, False)

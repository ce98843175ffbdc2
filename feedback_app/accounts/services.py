"""Changing who may do what; every change is a line in the audit log.

``by`` is the admin, at ``address``; both are None for who has the machine itself.
"""

import secrets
from typing import Any

from django.db import transaction
from django.db.models import Q

from feedback_app.accounts import throttle
from feedback_app.accounts.audit import record
from feedback_app.accounts.models import Role, User
from generation.errors import RemediableError

PASSWORD_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # noqa: S105  none that looks like another
PASSWORD_GROUPS, LETTERS_A_GROUP = 4, 4


def temporary_password() -> str:
    """One that can be read out over the telephone; about 79 bits."""
    groups = (
        "".join(secrets.choice(PASSWORD_LETTERS) for _ in range(LETTERS_A_GROUP))
        for _ in range(PASSWORD_GROUPS)
    )
    return "-".join(groups)


@transaction.atomic
def add_person(
    username: str,
    *,
    role: str,
    by: User | None,
    address: str | None = None,
    first_name: str = "",
    last_name: str = "",
) -> tuple[User, str]:
    """The new account and its temporary password, which is kept nowhere else."""
    person = User(username=username, role=role, first_name=first_name, last_name=last_name)
    password = _give_password(person)
    person.full_clean()
    person.save()
    _record("user.added", person, by=by, address=address, role=role)
    return person, password


@transaction.atomic
def reset_password(person: User, *, by: User | None, address: str | None = None) -> str:
    """Returns a new temporary password; the person is logged out everywhere, and unlocked."""
    person = _to_change(person, by=by)
    password = _give_password(person)
    person.save(update_fields=["password", "must_change_password"])
    throttle.unlock(username=person.username)
    _record("user.password_reset", person, by=by, address=address)
    return password


@transaction.atomic
def change_person(
    person: User,
    *,
    first_name: str,
    last_name: str,
    role: str,
    by: User | None,
    address: str | None = None,
) -> User:
    """Another name or role; a new role holds from the person's next click on.

    A superuser has the role of an admin, whatever stands there; any other role takes it away.
    """
    person = _to_change(person, by=by)
    if role != person.held_role:
        _require_another_admin(person, by=by)
    wanted: dict[str, Any] = {"first_name": first_name, "last_name": last_name, "role": role}
    if person.is_admin and role != Role.ADMIN:
        wanted |= {"is_superuser": False, "is_staff": False}
    changes = {
        field: [getattr(person, field), value]
        for field, value in wanted.items()
        if getattr(person, field) != value
    }
    if changes:
        for field, (_, value) in changes.items():
            setattr(person, field, value)
        person.save(update_fields=list(changes))
        is_other_role = bool({"role", "is_superuser"} & set(changes))
        action = "user.role_changed" if is_other_role else "user.changed"
        _record(action, person, by=by, address=address, **changes)
    return person


@transaction.atomic
def deactivate(person: User, *, by: User | None, address: str | None = None) -> User:
    """Keep the account and all that it did, but let nobody log in with it."""
    person = _to_change(person, by=by)
    _require_another_admin(person, by=by)
    person.is_active = False
    person.save(update_fields=["is_active"])
    _record("user.deactivated", person, by=by, address=address)
    return person


@transaction.atomic
def reactivate(person: User, *, by: User | None, address: str | None = None) -> User:
    person = _to_change(person, by=by)
    person.is_active = True
    person.save(update_fields=["is_active"])
    _record("user.reactivated", person, by=by, address=address)
    return person


def to_close(person: User, *, by: User | None) -> User:
    """The account, locked, if ``by`` may close it for good."""
    person = _to_change(person, by=by)
    _require_another_admin(person, by=by)
    return person


def _give_password(person: User) -> str:
    password = temporary_password()
    person.set_password(password)
    person.must_change_password = True
    return password


def _to_change(person: User, *, by: User | None) -> User:
    """The account, locked with all admins' accounts, if ``by`` may change it."""
    list(_admins().order_by("pk").select_for_update())  # two admins cannot demote each other
    person = User.objects.select_for_update().get(pk=person.pk)
    if person.erased_at:
        raise RemediableError(
            f"{person.username} is erased.", remedy="Make a new account for a new person."
        )
    if person.is_simulated:
        raise RemediableError(
            f"{person.username} is a simulated reader.",
            remedy="Simulated readers have neither a password nor another role.",
        )
    if person.is_superuser and by is not None and not by.is_superuser:
        raise RemediableError(
            f"{person.username} is a superuser, who may do more than an admin.",
            remedy="Ask a superuser, or use manage.py.",
        )
    return person


def _admins() -> Any:
    return User.objects.filter(Q(role=Role.ADMIN) | Q(is_superuser=True), is_active=True)


def _require_another_admin(person: User, *, by: User | None) -> None:
    if person == by:
        raise RemediableError("This is your own account.", remedy="Ask another admin to do this.")
    if person.is_admin and not _admins().exclude(pk=person.pk).exists():
        raise RemediableError(
            f"{person.username} is the last admin.", remedy="Make somebody else an admin first."
        )


def _record(
    action: str, person: User, *, by: User | None, address: str | None, **details: Any
) -> None:
    record(
        action,
        actor=by,
        target=person.username,
        target_id=person.pk,
        details=details,
        address=address,
    )

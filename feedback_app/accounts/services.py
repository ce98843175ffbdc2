"""Changing who may do what; every change is a line in the audit log.

``by`` is the admin, at ``address``; both are None for who has the machine itself.
"""

import secrets
from typing import Any

from django.db import transaction
from django.db.models import Q

from feedback_app.accounts import throttle
from feedback_app.accounts.audit import record
from feedback_app.accounts.models import Identity, RecoveryCode, Role, SecondFactor, User
from generation.errors import RemediableError

PASSWORD_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # noqa: S105  none that looks like another
PASSWORD_GROUPS, LETTERS_A_GROUP = 4, 4


def temporary_password() -> str:
    """Returns one that can be read out over the telephone; about 79 bits."""
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
    """Returns the new account and its temporary password, which is kept nowhere else."""
    person = User(username=username, role=role, first_name=first_name, last_name=last_name)
    password = _give_password(person)
    person.full_clean()
    person.save()
    _record("user.added", person, by=by, address=address, role=role)
    return person, password


@transaction.atomic
def add_signed_on(
    username: str,
    *,
    role: str,
    first_name: str,
    last_name: str,
    email: str,
    address: str | None,
) -> User:
    """Returns an account without a password, of somebody who came by single sign-on."""
    names = {"first_name": first_name[:150], "last_name": last_name[:150], "email": email}
    person = User(username=username, role=role, **names)
    person.set_unusable_password()
    person.full_clean()
    person.save()
    _record("user.added", person, by=None, address=address, role=role, by_sign_on=True)
    return person


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
    names = {"first_name": first_name, "last_name": last_name}
    return _change(person, {**names, "role": role}, by=by, address=address)


@transaction.atomic
def follow_groups(person: User, *, role: Role | None, address: str | None) -> User | None:
    """Returns the person with the role that their groups give them, or None where they give none.

    The last admin stays one, so that somebody can mend the groups; a superuser is made and
    unmade by who has the machine.
    """
    person = _to_change(person, by=None)
    if person.is_superuser or role == person.role:
        return person
    if is_last_admin(person):
        kept = {"role": [person.role, role], "because": "the last admin"}
        _record("user.role_kept", person, by=None, address=address, **kept)
        return person
    if role is None:
        return None
    return _change(person, {"role": role.value}, by=None, address=address, by_groups=True)


def _change(
    person: User, wanted: dict[str, Any], *, by: User | None, address: str | None, **more: Any
) -> User:
    role = wanted["role"]
    if role not in {Role.ADMIN, person.held_role}:  # nobody keeps Django's admin with less
        wanted = wanted | {"is_superuser": False, "is_staff": False}
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
        _record(action, person, by=by, address=address, **changes, **more)
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


@transaction.atomic
def reset_second_factor(person: User, *, by: User | None, address: str | None = None) -> User:
    """Take away a lost second factor with its recovery codes: the password alone opens again."""
    person = _to_change(person, by=by)
    if not SecondFactor.objects.filter(person=person).delete()[0]:
        raise RemediableError(
            f"{person.username} has no second factor.", remedy="Nothing is left to do."
        )
    RecoveryCode.objects.filter(person=person).delete()
    throttle.unlock(username=person.username)
    _record("user.second_factor_reset", person, by=by, address=address)
    return person


@transaction.atomic
def forget_sign_on(person: User, *, by: User | None, address: str | None = None) -> User:
    """Forget who they are to single sign-on: the next login there by their name is linked anew."""
    person = _to_change(person, by=by)
    if not Identity.objects.filter(person=person).delete()[0]:
        raise RemediableError(
            f"{person.username} has not come by single sign-on.", remedy="Nothing is left to do."
        )
    _record("user.sign_on_forgotten", person, by=by, address=address)
    return person


def to_close(person: User, *, by: User | None) -> User:
    """Returns the account, locked, if ``by`` may close it for good."""
    person = _to_change(person, by=by)
    _require_another_admin(person, by=by)
    return person


def _give_password(person: User) -> str:
    password = temporary_password()
    person.set_password(password)
    person.must_change_password = True
    return password


def set_role(person: User, role: str, *, by: User | None, address: str | None = None) -> User:
    """Another role, and the same names."""
    names = {"first_name": person.first_name, "last_name": person.last_name}
    return change_person(person, role=role, by=by, address=address, **names)


def is_last_admin(person: User) -> bool:
    """Returns whether nobody else could mend anything."""
    return person.is_admin and not _admins().exclude(pk=person.pk).exists()


def _to_change(person: User, *, by: User | None) -> User:
    """Returns the account, locked with all admins' accounts, if ``by`` may change it."""
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
    if is_last_admin(person):
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

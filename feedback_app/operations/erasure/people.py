"""Erasing who a person is: what they read stays, under a pseudonym."""

from importlib import import_module
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.utils import timezone

from feedback_app.accounts import services
from feedback_app.accounts.audit import record
from feedback_app.accounts.models import AuditEvent, User
from feedback_app.accounts.pseudonyms import pseudonym_of
from feedback_app.operations.erasure.plans import Plan, erasing
from feedback_app.readings.models import Reading
from feedback_app.studies.models import Slot, StudyState

ERASED = "user.erased"
NAMES = ("first_name", "last_name", "username", "email")
"""What an audit line of a change may have kept of a person."""
WAITING = (
    "{:,} cases of open studies wait for them: take them out of these studies first, so that "
    "others read them."
)


def plan_for(person: User) -> Plan:
    """Returns what would go, what would stay, and what stands against it."""
    belongings = {
        relation.related_model._meta.verbose_name_plural: _rows(relation, person).count()
        for relation in _belongings()
    }
    readings = Reading.objects.filter(reader=person).count()
    waiting = Slot.objects.filter(reader=person, study__state=StudyState.OPEN).unread().count()
    events = AuditEvent.objects.of_person(person).count()
    return Plan(
        name=person.username,
        goes=(
            "Their name, e-mail address and password",
            "Their logins and failed logins",
            *(f"{count:,} {name}" for name, count in belongings.items() if count),
            "Their name in the audit log, and the addresses that they came from",
        ),
        stays=(
            f"{readings:,} readings and all else that they made, under “{pseudonym_of(person.pk)}”",
            f"{events:,} lines of the audit log, under that pseudonym",
        ),
        warnings=(WAITING.format(waiting),) if waiting else (),
    )


@transaction.atomic
def erase_person(person: User, *, by: User | None, address: str | None = None) -> User:
    """Take away all that says who they are; the account stays, closed for good.

    Rows that are theirs alone, such as tokens and notices, go: they are those that would go
    with the account. What they did for the house stays, and cannot go.
    """
    person = services.to_close(person, by=by)
    names = {person.username, person.get_full_name(), person.first_name, person.last_name}
    _end_sessions(person)
    AccessAttempt.objects.filter(username=person.username).delete()
    AccessFailureLog.objects.filter(username=person.username).delete()
    for relation in _belongings():
        _rows(relation, person).delete()
    pseudonym = pseudonym_of(person.pk)
    person.username, person.first_name, person.last_name, person.email = pseudonym, "", "", ""
    person.is_active = person.is_staff = person.is_superuser = False
    person.last_login, person.erased_at = None, timezone.now()
    person.set_unusable_password()
    person.save()
    person.groups.clear()
    person.user_permissions.clear()
    _rename_in_log(person, names - {""}, pseudonym)
    record(ERASED, actor=by, target=pseudonym, target_id=person.pk, address=address)
    return person


def _belongings() -> list[Any]:
    """Returns the relations by which rows are a person's own: they would go with the account."""
    relations = User._meta.related_objects
    return [one for one in relations if getattr(one, "on_delete", None) is models.CASCADE]


def _rows(relation: Any, person: User) -> Any:
    return relation.related_model.objects.filter(**{relation.field.name: person})


def _end_sessions(person: User) -> None:
    """Everywhere, in the cache too; a session says only within whose it is."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        if session.get_decoded().get(SESSION_KEY) == str(person.pk):
            store(session_key=session.session_key).delete()


def _rename_in_log(person: User, names: set[str], pseudonym: str) -> None:
    """The log keeps who did what, when; the database lets nothing else of a line be changed."""
    mine = AuditEvent.objects.of_person(person)
    named = AuditEvent.objects.filter(_has_one_of(names))
    with erasing():
        for event in (mine | named).distinct().order_by():
            is_mine = event.actor_id == person.pk or event.target_id == str(person.pk)
            AuditEvent.objects.filter(pk=event.pk).update(
                target=pseudonym if event.target in names else event.target,
                details=_without(event.details, names, pseudonym, is_mine=is_mine),
                address=None if is_mine else event.address,
            )


def _has_one_of(names: set[str]) -> models.Q:
    """Lines whose target or details have one of the names as a whole text."""
    found = models.Q(target__in=names)
    for name in names:
        found |= models.Q(details__icontains=f'"{name}"')
    return found


def _without(value: Any, names: set[str], pseudonym: str, *, is_mine: bool) -> Any:
    match value:
        case str():
            return pseudonym if value in names else value
        case list():
            return [_without(one, names, pseudonym, is_mine=is_mine) for one in value]
        case dict():
            return {
                key: _without(one, names, pseudonym, is_mine=is_mine)
                for key, one in value.items()
                if not (is_mine and key in NAMES)
            }
    return value

"""Telling people something once, and sending what they want by e-mail."""

import logging
from collections.abc import Iterable, Mapping

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.notices.models import Mail, Notice, NoticeChoice, NoticeKind, Way

logger = logging.getLogger(__name__)
MAILS_AT_ONCE = 100
SUBJECT_LENGTH = 120


def tell(
    people: Iterable[User], kind: NoticeKind, text: str, *, address: str, key: str
) -> list[Notice]:
    """Tells each of them once; whoever cannot log in or wants none of the kind is left out."""
    listed = [one for one in people if one.is_active and not one.is_simulated]
    ways = ways_of(listed, kind)
    notices = [
        Notice(
            person=one,
            kind=kind,
            text=text[:400],
            address=address,
            key=key,
            mail=Mail.WAITING if ways[one.pk] == Way.MAIL and can_mail(one) else Mail.UNASKED,
        )
        for one in listed
        if ways[one.pk] != Way.NONE
    ]
    return Notice.objects.bulk_create(notices, ignore_conflicts=True)


def can_mail(person: User) -> bool:
    """Returns whether the installation sends mail, and knows where to."""
    return bool(settings.EMAIL_HOST and person.email)


def ways_of(people: Iterable[User], kind: NoticeKind) -> dict[int, str]:
    listed = list(people)
    chosen = NoticeChoice.objects.filter(person__in=listed, kind=kind)
    return {one.pk: Way.HERE.value for one in listed} | dict(chosen.values_list("person", "way"))


@transaction.atomic
def choose(person: User, ways: Mapping[str, str]) -> None:
    """Keeps how somebody wants to have notices, kind by kind."""
    for kind, way in ways.items():
        NoticeChoice.objects.update_or_create(
            person=person, kind=NoticeKind(kind), defaults={"way": Way(way)}
        )


def change_address(person: User, email: str) -> None:
    """Keeps where their mail goes."""
    person.email = email
    person.save(update_fields=["email"])


def mark_read(person: User) -> int:
    return Notice.objects.unread().filter(person=person).update(read_at=timezone.now())


def send_waiting() -> int:
    """Sends the mails that wait, each on its own; how many were sent."""
    sent = 0
    for _ in range(MAILS_AT_ONCE):
        done = _send_next()
        if done is None:
            break
        sent += done
    return sent


@transaction.atomic
def _send_next() -> bool | None:
    """Returns whether the next one was sent; None where none waits."""
    waiting = Notice.objects.to_mail().select_related("person")
    notice = waiting.select_for_update(skip_locked=True, of=["self"]).first()
    if notice is None:
        return None
    try:
        _send(notice)
    except OSError as error:  # smtplib's errors are of this kind too
        logger.warning("a mail to %s was not sent: %s", notice.person.username, error)
        notice.note_failure()
        return False
    notice.mail = Mail.SENT
    notice.save(update_fields=["mail"])
    return True


def _send(notice: Notice) -> None:
    body = f"{notice.text}\n\n{settings.SITE_ADDRESS}{notice.address}\n"
    send_mail(
        f"Reading Room: {notice.text}"[:SUBJECT_LENGTH],
        body + "\nWhich notices come by e-mail is chosen on the page Notices.\n",
        None,
        [notice.person.email],
    )

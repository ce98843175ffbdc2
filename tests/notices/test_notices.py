"""Notices: told once to whoever wants them, in the product and by e-mail."""

from datetime import date, timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from feedback_app.accounts.models import User
from feedback_app.notices.models import MAIL_TRIES_MAX, Mail, Notice, NoticeKind, Way
from feedback_app.notices.services import choose, send_waiting, tell
from feedback_app.runs.models import Run, State
from feedback_app.runs.telling import tell_of
from feedback_app.studies.services import (
    add_readers,
    create_study,
    open_study,
    pause_study,
    resume_study,
    set_due_date,
)
from feedback_app.studies.services.cases import add_cases_from_batch
from feedback_app.studies.services.telling import remind
from tests.readings.answers import read
from tests.readings.rooms import pool
from tests.studies.making import make_batch, make_study

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
JSON = "application/json"
TODAY = date(2027, 1, 12)


def told(person: User) -> list[str]:
    return list(Notice.objects.filter(person=person).order_by("pk").values_list("text", flat=True))


def test_readers_are_told_what_becomes_of_a_study(rosa: User, ravi: User, otto: User) -> None:
    choose(ravi, {NoticeKind.STUDY_PAUSED: Way.NONE})
    robot = User.objects.create_user("robot", is_simulated=True)
    study = create_study(name="November", readers=[rosa, ravi])
    add_cases_from_batch(study, make_batch())
    set_due_date(study, date(2027, 1, 31))
    study = open_study(study)
    pause_study(study)
    resume_study(study)
    add_readers(study, [otto])
    waits = "“November” waits for you by 31 January."
    paused = "“November” is paused. You are told when it goes on."
    assert told(rosa) == [waits, paused, waits]
    assert told(ravi) == [waits, waits]
    assert told(otto) == [waits]
    assert told(robot) == []


def test_who_still_has_cases_is_reminded_once_before_and_once_on_the_day(
    rosa: User, ravi: User
) -> None:
    study = make_study(rosa, ravi)
    pool(rosa, name="Pool")
    type(study).objects.update(due_on=TODAY)
    for slot in study.slots.filter(reader=ravi):
        read(slot)
    Notice.objects.all().delete()
    for days in (3, 2, 2, 1, 0, 0, -1):
        remind(today=TODAY - timedelta(days=days))
    of_study = [text for text in told(rosa) if "November" in text]
    assert of_study == ["“November” is to be read by 12 January: 2 cases left."] * 2
    assert len([text for text in told(rosa) if "Pool" in text]) == 2
    assert told(ravi) == []


def test_a_run_is_told_of_by_whoever_asked_for_it(cora: User) -> None:
    now = timezone.now()

    def run(kind: str, state: State, *, at: int = 0, **values: object) -> Run:
        made = now + timedelta(minutes=at)
        finished = None if state == State.RUNNING else made + timedelta(seconds=1)
        return Run.objects.create(
            kind=kind,
            queue="gpu",
            state=state,
            created_by=cora,
            created_at=made,
            finished_at=finished,
            **values,
        )

    batch = {"batch": "5c3c1b54-3c9c-4c3c-8c3c-3c9c4c3c8c3c"}
    run("generate", State.FAILED, at=-5, title="Night 1: one", spec=batch, error="No memory.")
    first = run("generate", State.SUCCEEDED, title="Night 1: one", spec=batch)
    second = run("generate", State.RUNNING, title="Night 1: two", spec=batch)
    tell_of(first.pk)
    assert told(cora) == []
    second.state, second.finished_at = State.SUCCEEDED, now + timedelta(seconds=2)
    second.save()
    for one in (first, second):
        tell_of(one.pk)
    assert told(cora)[0] == "Night 1 is done."
    assert Notice.objects.filter(text="Night 1 is done.").count() == 1
    assert Notice.objects.earliest("pk").address == f"/batches/{batch['batch']}/"
    Notice.objects.all().delete()
    failed = run("gate", State.FAILED, title="Gate of base-1", error="The disk is full.")
    tell_of(failed.pk)
    tell_of(run("gate", State.CANCELLED, title="Gate of base-2").pk)
    tell_of(run("measure", State.SUCCEEDED, title="Measure").pk)
    assert told(cora) == ["Gate of base-1 has failed: The disk is full."]
    assert Notice.objects.get().address == reverse("runs:run", args=[failed.pk])


def a_mail_to(person: User, settings: Settings) -> Notice:
    settings.EMAIL_HOST, settings.SITE_ADDRESS = "127.0.0.1", "https://rooms.example.org"
    person.email = "rosa@example.org"
    person.save()
    choose(person, {NoticeKind.STUDY_WAITS: Way.MAIL})
    tell([person], NoticeKind.STUDY_WAITS, "“November” waits.", address="/read/", key="one")
    return Notice.objects.get()


def test_a_mail_is_sent_once(rosa: User, settings: Settings) -> None:
    notice = a_mail_to(rosa, settings)
    tell([rosa], NoticeKind.STUDY_WAITS, "“November” waits.", address="/read/", key="one")
    assert (send_waiting(), send_waiting()) == (1, 0)
    (sent,) = mail.outbox
    assert sent.to == ["rosa@example.org"]
    assert "https://rooms.example.org/read/" in sent.body
    notice.refresh_from_db()
    assert notice.mail == Mail.SENT


def test_a_mail_that_fails_is_tried_again_and_given_up_in_the_end(
    rosa: User, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 1
    notice = a_mail_to(rosa, settings)
    for tries in range(1, MAIL_TRIES_MAX + 1):
        assert send_waiting() == 0
        notice.refresh_from_db()
        assert notice.mail_tries == tries
        assert notice.mail_after is not None and notice.mail_after > timezone.now()
        assert send_waiting() == 0  # not before its time
        Notice.objects.update(mail_after=timezone.now())
    assert notice.mail == Mail.FAILED
    assert not Notice.objects.to_mail().exists()


def test_the_page_shows_own_notices_and_takes_wishes(
    rosa: User, rosa_client: Client, cora_client: Client
) -> None:
    tell([rosa], NoticeKind.STUDY_WAITS, "“November” waits.", address="/read/", key="one")
    page = reverse("notices:list")
    assert "“November” waits." in rosa_client.get(page).content.decode()
    assert "“November” waits." not in cora_client.get(page).content.decode()
    bell = rosa_client.get(reverse("notices:count"), headers=HTMX).content.decode()
    assert '<span class="count">1' in bell
    rosa_client.post(reverse("notices:mark-read"))
    assert 'class="count"' not in rosa_client.get(reverse("notices:count")).content.decode()
    assert not Notice.objects.unread().exists()
    wishes = dict.fromkeys(("study_waits", "study_due"), Way.HERE) | {"study_paused": "none"}
    rosa_client.post(page, wishes | {"email": "rosa@example.org"})
    rosa.refresh_from_db()
    assert rosa.email == "rosa@example.org"
    assert tell([rosa], NoticeKind.STUDY_PAUSED, "x", address="/", key="two") == []
    assert rosa_client.post(page, wishes | {"study_due": "by pigeon"}).status_code == 400
    assert "asked for is done" in cora_client.get(page).content.decode()
    assert "asked for is done" not in rosa_client.get(page).content.decode()


def test_programs_have_their_persons_notices_alone(
    rosa: User, ravi: User, rosa_client: Client
) -> None:
    for person, text in ((rosa, "For Rosa."), (ravi, "For Ravi.")):
        tell([person], NoticeKind.STUDY_WAITS, text, address="/read/", key=text)
    listed = reverse("api:notices")
    (own,) = rosa_client.get(listed, {"is_read": "false"}).json()["results"]
    assert (own["text"], own["is_read"], own["kind"]) == ("For Rosa.", False, "study_waits")
    marked = rosa_client.post(reverse("api:notice-mark-read"), content_type=JSON)
    assert marked.json() == {"marked": 1}
    assert rosa_client.get(listed, {"is_read": "false"}).json()["results"] == []
    assert Notice.objects.unread().get().person == ravi
    wanted = {"study_waits": "none"}
    chosen = rosa_client.post(reverse("api:notice-choose"), wanted, content_type=JSON).json()
    assert (chosen["study_waits"], chosen["study_due"]) == ("none", "here")
    assert rosa_client.get(reverse("api:notice-ways")).json() == chosen

"""What readers are told of a study: that it waits, is paused, or is nearly due."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from feedback_app.accounts.models import User
from feedback_app.notices.models import NoticeKind
from feedback_app.notices.services import tell
from feedback_app.studies.models import Slot, Study, StudyState

REMIND_DAYS_BEFORE = 2


def tell_waiting(study: Study, readers: Iterable[User]) -> None:
    _tell(study, readers, NoticeKind.STUDY_WAITS, f"“{study.name}” waits for you{_until(study)}.")


def tell_paused(study: Study) -> None:
    said = f"“{study.name}” is paused. You are told when it goes on."
    _tell(study, study.readers.all(), NoticeKind.STUDY_PAUSED, said)


def tell_withdrawn(study: Study, readers: Iterable[User]) -> None:
    said = f"“{study.name}” was taken back. Nothing of it waits for you any more."
    _tell(study, readers, NoticeKind.STUDY_PAUSED, said)


def remind(*, today: date) -> None:
    """Reminds who still has cases, once some days before a study is due and once on the day."""
    last = today + timedelta(days=REMIND_DAYS_BEFORE)
    due = Study.objects.filter(state=StudyState.OPEN, due_on__range=(today, last))
    for study in due:
        when = "today" if study.due_on == today else "soon"
        for reader, left in _with_cases_left(study):
            cases = f"{left} case{'s' if left > 1 else ''} left" if left else "cases are left"
            tell(
                [reader],
                NoticeKind.STUDY_DUE,
                f"“{study.name}” is to be read{_until(study)}: {cases}.",
                address=reverse("readings:worklist"),
                key=f"due:{study.pk}:{study.due_on}:{when}",
            )


def _with_cases_left(study: Study) -> list[tuple[User, int]]:
    """Readers and how many cases they have left; 0 in a pool, where nobody has a share."""
    unread = Slot.objects.filter(study=study).wanted().unread()
    if study.is_pool:
        free = unread.filter(reader=None).exists()
        return [(reader, 0) for reader in study.readers.all()] if free else []
    counts = dict(
        unread.order_by().values("reader").annotate(left=Count("pk")).values_list("reader", "left")
    )
    return [(reader, counts[reader.pk]) for reader in User.objects.filter(pk__in=counts)]


def _until(study: Study) -> str:
    return f" by {date_format(study.due_on, 'j F')}" if study.due_on else ""


def _tell(study: Study, readers: Iterable[User], kind: NoticeKind, text: str) -> None:
    """Each time anew: a study may be paused and go on more than once."""
    key = f"{kind}:{study.pk}:{timezone.now().isoformat()}"
    tell(readers, kind, text, address=reverse("readings:worklist"), key=key)

"""Taking a round of adjudication back: nobody reads on in it, and what was read in it stays."""

from django.db import transaction
from django.utils import timezone

from feedback_app.accounts import audit
from feedback_app.accounts.models import User
from feedback_app.studies.models import Adjudication, Slot, StudyState
from feedback_app.studies.services import close_study
from feedback_app.studies.services.telling import tell_withdrawn
from generation.errors import RemediableError


@transaction.atomic
def withdraw(adjudication: Adjudication, *, actor: User | None = None) -> int:
    """Closes the panel and takes its open slots back; returns how many there were.

    Its final readings stay and count. A case without one can be sent anew, also to somebody
    who never saw what was said of it.
    """
    panel = adjudication.panel
    waiting = Slot.objects.filter(study=panel).unread()
    readers = list(User.objects.filter(pk__in=waiting.values("reader")))
    open_slots = list(waiting.values_list("pk", flat=True))
    if not open_slots:
        raise RemediableError(
            f"Nothing of “{panel.name}” is open any more.",
            remedy="What was read in it stays; to leave it out, retract the panel's readings.",
        )
    if panel.state != StudyState.CLOSED:
        close_study(panel, actor=actor)
    Slot.objects.filter(pk__in=open_slots).update(withdrawn_at=timezone.now())
    audit.record(
        "study.adjudication_withdrawn",
        actor=actor,
        target=adjudication.study.name,
        target_id=adjudication.study_id,
        details={"panel": panel.name, "open": len(open_slots)},
    )
    tell_withdrawn(panel, readers)
    return len(open_slots)

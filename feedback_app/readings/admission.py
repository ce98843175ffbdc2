"""Whether a reader may see a case yet: training comes first, and phases one after the other."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.http import Http404

from feedback_app.accounts.models import User
from feedback_app.readings.access import slot_to_read, training_slot_for
from feedback_app.readings.cases import describe_case, describe_training
from feedback_app.readings.training import require_trained
from feedback_app.readings.unmasking import enter_phase
from feedback_app.studies.models import Slot


def case_for(reader: User, slot_id: UUID) -> dict[str, Any]:
    """Returns the JSON of the reader's own case, of the study or of its training; raises
    ``NotYet``.
    """
    try:
        slot = slot_to_read(reader, slot_id)
    except Http404:
        return describe_training(training_slot_for(reader, slot_id))
    return admit(slot)


def admit(slot: Slot, *, holding: Collection[UUID] = ()) -> dict[str, Any]:
    """Returns the JSON of a slot for its reader; raises ``NotYet`` with what comes first."""
    require_trained(slot)
    enter_phase(slot)
    return describe_case(slot, holding=holding)

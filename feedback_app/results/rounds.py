"""How far a study's rounds of adjudication are."""

from dataclasses import dataclass

from feedback_app.studies.models import Adjudication, Phase, Slot, Study


@dataclass(frozen=True)
class Round:
    """``read`` of the ``slots`` were read blind, and ``settled`` have their final reading."""

    adjudication: Adjudication
    adjudicators: str
    cases: int
    slots: int
    read: int
    settled: int
    waiting: int
    withdrawn: int
    """So many readings were taken back before they were made."""


def rounds_of(study: Study) -> list[Round]:
    """Returns the rounds in the order in which they were sent."""
    rounds = study.adjudications.select_related("panel").prefetch_related("panel__readers", "cases")
    return [describe(one) for one in rounds]


def describe(adjudication: Adjudication) -> Round:
    slots = Slot.objects.filter(study=adjudication.panel_id).order_by()
    found = list(slots.values_list("phase", "is_read", "withdrawn_at"))
    unread = [withdrawn_at for _, is_read, withdrawn_at in found if not is_read]
    return Round(
        adjudication=adjudication,
        adjudicators=", ".join(one.display_name for one in adjudication.panel.readers.all()),
        cases=len(adjudication.cases.all()),
        slots=len([phase for phase, _, _ in found if phase == Phase.BLIND]),
        read=len([phase for phase, is_read, _ in found if is_read and phase == Phase.BLIND]),
        settled=len([phase for phase, is_read, _ in found if is_read and phase == Phase.FINAL]),
        waiting=unread.count(None),
        withdrawn=len(unread) - unread.count(None),
    )

"""Disputed cases and their adjudication, for whoever has to look at final readings."""

from collections.abc import Sequence

from feedback_app.accounts.models import User
from feedback_app.readings.adjudication.sending import send_to_adjudication
from feedback_app.readings.models import Reading
from feedback_app.studies.models import Adjudication, Phase, Slot, Study
from tests.readings.answers import read
from tests.readings.rooms import assign, make_room, synthetic


def disputed(*readers: User, cases: int = 2, mode: str = "rate", images: int = 1) -> Study:
    """A study whose first reader scores 0 and whose second one 5, with a comment each."""
    shown = [[synthetic(10 * case + number) for number in range(images)] for case in range(cases)]
    study = make_room(mode, *readers, cases=shown, name="Disputed")
    for reader, value in zip(readers, (0, 5), strict=False):
        for slot in assign(study, reader):
            read(slot, value=value, comment=f"{reader.username} says {value}.")
    return study


def send(study: Study, *adjudicators: User, cases: Sequence[int] = (0,)) -> Adjudication:
    keys = study.cases.filter(position__in=cases).values_list("pk", flat=True)
    return send_to_adjudication(study, cases=list(keys), adjudicators=adjudicators)


def slots_of(adjudication: Adjudication, reader: User, phase: Phase) -> list[Slot]:
    return list(Slot.objects.filter(study=adjudication.panel, reader=reader, phase=phase))


def settle(adjudication: Adjudication, reader: User, *, blind: int = 2, final: int = 4) -> Reading:
    """The adjudicator reads all blind, and then all for good; the last final reading."""
    read_blind(adjudication, reader, value=blind)
    return decide(adjudication, reader, value=final)


def read_blind(adjudication: Adjudication, reader: User, *, value: int) -> None:
    for slot in slots_of(adjudication, reader, Phase.BLIND):
        read(slot, value=value)


def decide(adjudication: Adjudication, reader: User, *, value: int) -> Reading:
    for slot in slots_of(adjudication, reader, Phase.FINAL):
        last = read(slot, value=value, comment="Because of the ribs.")
    return last

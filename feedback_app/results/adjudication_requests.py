"""The request to send cases to adjudication, and what applies it: for page and command alike."""

from typing import Annotated
from uuid import UUID

from django.db.models import Exists, QuerySet
from pydantic import Field, model_validator

from feedback_app.accounts.models import Role, User
from feedback_app.readings.adjudication.sending import CASES_MAX, send_to_adjudication
from feedback_app.requests import Request, at
from feedback_app.results.cases import disagreements, find_cases, sent_slots_of_case
from feedback_app.studies.models import Adjudication, Study
from generation.errors import RemediableError

NUMBER_MAX = 2**31 - 1


class AdjudicationRequest(Request):
    """Cases of a study by their numbers, or the most disputed ones, and who reads them anew."""

    cases: tuple[Annotated[int, Field(ge=1, le=NUMBER_MAX)], ...] = Field(
        default=(), max_length=CASES_MAX, title="Cases", description="Numbers of cases, from 1"
    )
    most_disputed: int = Field(
        default=0,
        ge=0,
        le=CASES_MAX,
        title="Most disputed cases",
        description="So many of those that were not sent yet, instead of cases by number",
    )
    adjudicators: tuple[Annotated[str, Field(max_length=150)], ...] = Field(
        min_length=1,
        max_length=20,
        title="To",
        description="One person, or several for a consensus round",
    )

    @model_validator(mode="after")
    def _names_cases(self) -> "AdjudicationRequest":
        if bool(self.cases) == bool(self.most_disputed):
            raise ValueError("Tick cases, or say how many of the most disputed ones: one of both.")
        return self


class RoundRequest(AdjudicationRequest):
    """A round as programs ask for it: of the study with this id."""

    study: UUID


def ask_for_adjudication(
    request: AdjudicationRequest, study: Study, *, sent_by: User | None = None
) -> Adjudication:
    """Returns the round that somebody asks for, open to its adjudicators."""
    with at("adjudicators"):
        adjudicators = _find_adjudicators(study, request.adjudicators)
    with at("cases" if request.cases else "most_disputed"):
        cases = _numbered(study, request.cases) or _most_disputed(study, request.most_disputed)
        return send_to_adjudication(study, cases=cases, adjudicators=adjudicators, sent_by=sent_by)


def find_study_of(request: RoundRequest) -> Study:
    """Returns the study whose cases are sent."""
    with at("study"):
        found = Study.objects.own().filter(pk=request.study).first()
        if found is None:
            raise RemediableError(
                f"There is no study {request.study}.", remedy="Take the id from its page."
            )
    return found


def possible_adjudicators(study: Study) -> QuerySet[User]:
    """Readers; simulated ones only where such have read: what they say is marked, never mixed."""
    readers = User.objects.filter(role=Role.READER, is_active=True)
    if not study.readers.filter(is_simulated=True).exists():
        readers = readers.filter(is_simulated=False)
    return readers.order_by("is_simulated", "last_name", "username")


def _find_adjudicators(study: Study, names: tuple[str, ...]) -> list[User]:
    known = {reader.username: reader for reader in possible_adjudicators(study)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise RemediableError(
            f"There is no reader {', '.join(unknown)} to choose.",
            remedy="Choose among those that the page Case by case offers.",
        )
    return [known[name] for name in dict.fromkeys(names)]


def _numbered(study: Study, numbers: tuple[int, ...]) -> list[UUID]:
    found = study.cases.filter(position__in=[number - 1 for number in numbers])
    known = {position + 1: pk for pk, position in found.values_list("pk", "position")}
    unknown = sorted(set(numbers) - set(known))
    if unknown:
        raise RemediableError(
            f"The study has no case {', '.join(map(str, unknown))}.",
            remedy="Take the numbers from its page Case by case.",
        )
    return list(known.values())


def _most_disputed(study: Study, count: int) -> list[UUID]:
    """Returns those on which readers differ at all, the widest first, without what was sent
    before.
    """
    apart = disagreements(study)
    unsent = find_cases(study).exclude(Exists(sent_slots_of_case()))
    waiting = unsent.values_list("pk", flat=True)
    disputed = sorted((pk for pk in waiting if apart.get(pk)), key=lambda pk: -apart[pk])
    if not disputed:
        raise RemediableError(
            "There is no disputed case that was not sent yet.",
            remedy="Tick cases, or wait until several readers have read the same ones.",
        )
    return disputed[:count]

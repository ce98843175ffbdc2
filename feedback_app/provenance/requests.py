"""What is asked about retractions."""

from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from feedback_app.accounts.models import User
from feedback_app.readings.services.retractions import REASON_MAX
from feedback_app.requests import Request, at
from feedback_app.studies.models import Study
from generation.errors import RemediableError


class TargetRequest(Request):
    """A reader by user name, a study by its id, or both: the reader in that study alone."""

    reader: str | None = Field(default=None, max_length=150)
    study: UUID | None = None

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.reader is None and self.study is None:
            raise ValueError("Name a reader, a study, or both.")
        return self


class ReasonRequest(Request):
    reason: str = Field(min_length=1, max_length=REASON_MAX)


class RetractionRequest(TargetRequest, ReasonRequest):
    """Whose readings are not to be relied on, and why."""


def find_target(request: TargetRequest) -> tuple[User | None, Study | None]:
    """Returns the reader and the study that a request names."""
    with at("reader"):
        reader = None if request.reader is None else _reader(request.reader)
    with at("study"):
        study = None if request.study is None else _study(request.study)
    return reader, study


def _reader(username: str) -> User:
    found = User.objects.filter(username=username).first()
    if found is None:
        raise RemediableError(f"There is no reader {username!r}.", remedy="Take a user name.")
    return found


def _study(key: UUID) -> Study:
    found = Study.objects.filter(pk=key).first()
    if found is None:
        raise RemediableError(f"There is no study {key}.", remedy="Take the id from its page.")
    return found

"""The base of requests, and reading one from what somebody sent."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, field_validator

from feedback_app.requests.errors import RequestError

Kind = TypeVar("Kind")


class Request(BaseModel):
    """Values without rows: whoever applies a request finds what its names stand for.

    A field's ``title`` is its label on the page, its ``description`` the help that is shown
    there, by the command and in the API's schema.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        str_strip_whitespace=True,
        validate_default=True,
    )

    @field_validator("*")
    @classmethod
    def _holds_no_null(cls, value: Any) -> Any:
        """PostgreSQL stores no null character, and Django's form fields refuse it too."""
        parts = value if isinstance(value, tuple) else (value,)
        if any(isinstance(part, str) and "\x00" in part for part in parts):
            raise ValueError("Null characters are not allowed.")
        return value


def read(kind: type[Kind], values: Any) -> Kind:
    """Returns the request of these values; raises one RequestError for all that is wrong with
    them.
    """
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        raise RequestError.of(error) from error

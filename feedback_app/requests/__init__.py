"""What people and programs ask for: a request is spelled once, with its limits.

A request is a frozen pydantic model. The page's form takes its fields from it
(``form_fields``), a command its options (``options``), and the REST API reads a body with
it, so that all three accept and refuse the same values.
"""

from feedback_app.requests.errors import Problem, RequestError, at
from feedback_app.requests.form_fields import form_field_of
from feedback_app.requests.limits import field_of
from feedback_app.requests.options import add_options, given
from feedback_app.requests.reading import Request, read

__all__ = [
    "Problem",
    "Request",
    "RequestError",
    "add_options",
    "at",
    "field_of",
    "form_field_of",
    "given",
    "read",
]

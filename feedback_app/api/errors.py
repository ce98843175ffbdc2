"""One shape for every error that the API answers with."""

from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from feedback_app.readings.errors import ReadingConflict
from feedback_app.requests import RequestError
from generation.errors import RemediableError

SCHEMA = "/api/schema/ and /api/docs/ list every address with what it takes."
REMEDIES = {
    "not_authenticated": "Log in, or send a token: Authorization: Bearer TOKEN.",
    "authentication_failed": "Make a new token on the page of your own account.",
    "permission_denied": "Ask somebody whose role may do this, or an admin for the role.",
    "not_found": SCHEMA,
    "method_not_allowed": SCHEMA,
    "not_acceptable": "Ask for application/json.",
    "unsupported_media_type": "Send application/json.",
    "parse_error": "Send one JSON object.",
    "key_reused": "Make a new key for another request.",
    "invalid": SCHEMA,
}


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """``{"error": {"code", "message", "remedy", "fields"}}``; unknown errors stay a 500."""
    if isinstance(error, RemediableError):
        return _remediable(error)
    if isinstance(error, RequestDataTooBig):  # more than DATA_UPLOAD_MAX_MEMORY_SIZE, unread
        return Response(
            _shape(
                code="too_large",
                message="The request is too large.",
                remedy="Send less at a time.",
            ),
            status=status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
        )
    if isinstance(error, Http404):
        error = exceptions.NotFound(*error.args)
    elif isinstance(error, DjangoPermissionDenied):
        error = exceptions.PermissionDenied(*error.args)
    response = exception_handler(error, context)
    if response is None or not isinstance(error, exceptions.APIException):
        return None
    detail = error.detail
    fields = detail if isinstance(detail, dict | list) else {}
    message = "Some values are not valid." if fields else str(detail)
    code = error.default_code
    response.data = _shape(
        code=code, message=message, remedy=REMEDIES.get(code, SCHEMA), fields=fields
    )
    return response


def _remediable(error: RemediableError) -> Response:
    is_conflict = isinstance(error, ReadingConflict)
    fields = error.fields if isinstance(error, RequestError) else {}
    return Response(
        _shape(
            code=error.code if isinstance(error, ReadingConflict) else "invalid",
            message="Some values are not valid." if fields else str(error),
            remedy=error.remedy,
            fields=fields,
        ),
        status=status.HTTP_409_CONFLICT if is_conflict else status.HTTP_400_BAD_REQUEST,
    )


def _shape(*, code: str, message: str, remedy: str = "", fields: Any = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "remedy": remedy, "fields": fields or {}}}

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


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """``{"error": {"code", "message", "remedy", "fields"}}``; unknown errors stay a 500."""
    if isinstance(error, RemediableError):
        return _remediable(error)
    if isinstance(error, RequestDataTooBig):  # more than DATA_UPLOAD_MAX_MEMORY_SIZE, unread
        return Response(
            _shape(code="too_large", message="The request is too large."),
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
    response.data = _shape(code=error.default_code, message=message, fields=fields)
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

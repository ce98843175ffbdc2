"""One shape for every error that the API answers with."""

from typing import Any

from rest_framework.response import Response
from rest_framework.views import exception_handler


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """``{"error": {"code", "message", "fields"}}``; unknown errors stay a 500."""
    response = exception_handler(error, context)
    if response is None:
        return None
    detail = getattr(error, "detail", str(error))
    fields = detail if isinstance(detail, dict) else {}
    response.data = {
        "error": {
            "code": getattr(error, "default_code", "error"),
            "message": "Some values are not valid." if fields else str(getattr(error, "detail", error)),
            "fields": fields,
        }
    }
    return response

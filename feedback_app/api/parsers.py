"""What the API reads of a request's body: JSON, up to a size."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework import exceptions, status
from rest_framework.parsers import JSONParser

BODY_BYTES_MAX = 2 * 1024 * 1024
"""A reading with polygons on every image has some hundred thousand."""


class BodyTooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = f"The request has more than {BODY_BYTES_MAX:,} bytes."
    default_code = "too_large"


class BoundedJSONParser(JSONParser):
    """Refuses a larger body unread; the server reads no more than the length it was told."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        request = (parser_context or {})["request"]
        if int(request.META.get("CONTENT_LENGTH") or 0) > BODY_BYTES_MAX:
            raise BodyTooLarge
        return super().parse(stream, media_type, parser_context)

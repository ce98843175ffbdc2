"""Files that the API answers with, whatever format a client says that it takes."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.negotiation import BaseContentNegotiation


class AsItIs(BaseContentNegotiation):
    """A file has the type that it has; errors are JSON."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


def file_action(media_type: str, *, parameters: Any = None) -> Any:
    """Returns an action of a row that answers with a file of this type."""

    def made(method: Any) -> Any:
        is_json = media_type == "application/json"
        content = OpenApiTypes.OBJECT if is_json else OpenApiTypes.BINARY
        answer = {(200, media_type): content}
        named = action(["get"], detail=True, content_negotiation_class=AsItIs)(method)
        return extend_schema(responses=answer, parameters=parameters)(named)

    return made

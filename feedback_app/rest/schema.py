"""The schema of the API, from what its views say of themselves."""

from typing import Any

from drf_spectacular.contrib.pydantic import PydanticExtension
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, force_instance
from pydantic.json_schema import model_json_schema

from feedback_app.rest.choosing import FieldChoice, field_parameter
from feedback_app.rest.files import AsItIs
from feedback_app.rest.once import HEADER, KEY_MAX
from feedback_app.rest.views import Once, OnlyTold, Rows

REFERENCE = "#/components/schemas/{model}"
JSON = "application/json"
REFUSALS = {
    "400": "Some values are not valid; nothing was done.",
    "401": "The token is not known, or its time is over.",
    "403": "Nobody is logged in, or they may not do this.",
    "404": "There is no such thing, or not for you.",
    "405": "This address has no such method.",
    "406": "The answer cannot be had in that format.",
    "409": "This contradicts what is there by now.",
    "413": "The request is too large.",
    "415": "The body is of another type than the address takes.",
    "422": "The Idempotency-Key came with another request before.",
    "503": "Something of the installation is missing; its people have to mend it.",
}
ERROR = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "remedy", "fields"],
            "additionalProperties": False,
            "properties": {
                "code": {"type": "string", "description": "One word for programs."},
                "message": {"type": "string", "description": "What is wrong."},
                "remedy": {"type": "string", "description": "What to do about it."},
                "fields": {
                    "type": ["object", "array"],
                    "description": "What is wrong with each value, nested as the values are.",
                },
            },
        }
    },
}


class RequestSchema(PydanticExtension):
    """A request as what may be sent: what has a default may be left out."""

    target_class = "pydantic.BaseModel"
    match_subclasses = True
    priority = 1

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        schema = model_json_schema(self.target, ref_template=REFERENCE, mode="validation")
        for name, inner in schema.pop("$defs", {}).items():
            component = ResolvedComponent(
                name=name, type=ResolvedComponent.SCHEMA, object=name, schema=inner
            )
            auto_schema.registry.register_on_missing(component)
        return schema


class TokenScheme(OpenApiAuthenticationExtension):
    """How programs log in, beside the session that pages have."""

    target_class = "feedback_app.accounts.tokens.TokenLogin"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer"}


class Schema(AutoSchema):
    """What holds for every operation, beside what drf-spectacular finds out by itself."""

    def _is_list_view(self, serializer: Any = None) -> bool:
        if isinstance(self.view, Rows):
            return self.view.action in self.view.listings
        return bool(super()._is_list_view(serializer))

    def get_filter_backends(self) -> list[Any]:
        if isinstance(self.view, Rows) and self.view.action != "list":
            return [FieldChoice] if self._is_list_view() else []
        return list(super().get_filter_backends())

    def _map_serializer(
        self, serializer: Any, direction: Any, bypass_extensions: bool = False
    ) -> dict[str, Any]:
        """Requires no field of what is told: ``?fields=`` may leave any out."""
        schema: dict[str, Any] = super()._map_serializer(serializer, direction, bypass_extensions)
        if isinstance(force_instance(serializer), OnlyTold):
            schema.pop("required", None)
        return schema

    def get_tags(self) -> list[str]:
        return [self._tokenize_path()[0]]

    def get_operation_id(self) -> str:
        """``batches_list``, ``batches_cancel``: what a generated client calls a function."""
        words = [part.replace("-", "_") for part in self._tokenize_path()]
        action = getattr(self.view, "action", None)
        if action in {"list", "create", "retrieve", "update", "destroy"}:
            words.append(action)
        else:
            words.append(self.method.lower())
        return "_".join(words)

    def get_request_serializer(self) -> Any:
        if isinstance(self.view, Rows):
            return self.view.asks.get(self.view.action)
        return super().get_request_serializer()

    def get_response_serializers(self) -> Any:
        if not isinstance(self.view, Rows) or self.view.content_negotiation_class is AsItIs:
            return super().get_response_serializers()
        serializer = self.view.get_serializer_class()
        if self.view.action == "destroy":
            serializer = None
        return dict.fromkeys(self.view.statuses_of(self.view.action), serializer)

    def _get_parameters(self) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super()._get_parameters()
        if self.method == "GET" and isinstance(self.view, Rows) and not self._is_list_view():
            names = self.view.fields_of(self.view.action)
            parameters += [field_parameter(names)] if names else []
        if self.method == "POST" and isinstance(self.view, Once) and self.view.keeps_answers:
            parameters.append(KEY_PARAMETER)
        return parameters

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction)
        for status, said in REFUSALS.items():
            bodies.setdefault(status, self._refusal(status, said))
        return bodies

    def _refusal(self, status: str, said: str) -> dict[str, Any]:
        """Returns a reference: the same few answers stand at every operation."""
        component = ResolvedComponent(
            name=f"Refused{status}",
            type=ResolvedComponent.RESPONSE,
            object=status,
            schema={"description": said, "content": self._error()},
        )
        self.registry.register_on_missing(component)
        return component.ref

    def _error(self) -> dict[str, Any]:
        component = ResolvedComponent(
            name="Error", type=ResolvedComponent.SCHEMA, object="Error", schema=ERROR
        )
        self.registry.register_on_missing(component)
        return {JSON: {"schema": component.ref}}


KEY_PARAMETER = {
    "in": "header",
    "name": HEADER,
    "required": False,
    "description": "Made by whoever asks, once for each thing that they want; asked again with "
    "the same key, they get the same answer, and nothing is done twice.",
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_MAX, "pattern": "^[!-~]+$"},
}

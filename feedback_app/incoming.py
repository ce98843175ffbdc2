"""What a request may bring: text that can be kept, bounded depth, names that are known."""

import codecs
import json
import math
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser, get_encoding  # type: ignore[attr-defined]
from rest_framework.utils.json import strict_constant

from feedback_app.text import UNSTORABLE, is_storable

DEPTH_MAX = 32
INTEGER_MAX = 2**63 - 1
API = "api"
ZONE_MAX = timedelta(hours=15)


def is_tellable(moment: datetime) -> bool:
    """Returns whether a time with a zone is one in UTC: the years end, and no zone of the
    database is further than 15 hours away.
    """
    try:
        offset = moment.utcoffset()
        moment.astimezone(UTC)
    except OverflowError:
        return False
    return offset is None or abs(offset) < ZONE_MAX


class RefuseUnreadable:
    """Answers 400 where an address or a form holds what no text holds.

    To the API, a parameter that its address does not know is an error too: a misspelt filter
    must not give everything.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        match = request.resolver_match
        if match is not None and API in match.namespaces:
            known = known_parameters(view, request.method or "")
            problems = _problems_of_address(request, known=known)
            return _refusal(problems) if problems else None
        sent = [request.path_info, *_texts(request.GET)]
        if request.method == "POST":
            sent += _texts(request.POST)
        if not all(map(is_storable, sent)):
            raise BadRequest(UNSTORABLE)
        return None


def known_parameters(view: Any, method: str) -> frozenset[str]:
    """Returns the names that an API view says its action for this method knows."""
    kind, actions = getattr(view, "cls", None), getattr(view, "actions", None) or {}
    action = actions.get("get") if method in {"GET", "HEAD"} else None
    if kind is not None and action is not None:
        return frozenset(kind.known_parameters(action))
    return frozenset(getattr(kind, "query_parameters", ()))


def _texts(sent: Any) -> list[str]:
    return [text for name, values in sent.lists() for text in (name, *values)]


def _problems_of_address(request: HttpRequest, *, known: frozenset[str]) -> dict[str, list[str]]:
    problems = {
        name: ["There is no such parameter here."] for name in request.GET if name not in known
    }
    for name, values in request.GET.lists():
        if not all(map(is_storable, (name, *values))):
            problems[_shown(name)] = [UNSTORABLE]
    if not is_storable(request.path_info):
        problems["address"] = [UNSTORABLE]
    return {_shown(name): said for name, said in problems.items()}


def _shown(name: str) -> str:
    return name if is_storable(name) else ascii(name).strip("'")


def _refusal(fields: dict[str, list[str]]) -> JsonResponse:
    """Answers with the API's error shape, before there is an API view to give it."""
    error = {
        "code": "invalid",
        "message": "Some values are not valid.",
        "remedy": "/api/schema/ lists every address with the parameters that it knows.",
        "fields": fields,
    }
    return JsonResponse({"error": error}, status=400)


class BoundedJSONParser(JSONParser):
    """JSON whose texts, numbers and depth can be kept, and that says everything once."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        reader = codecs.getreader(get_encoding(parser_context or {}))
        try:
            parsed = json.load(
                reader(stream),
                parse_constant=strict_constant,
                object_pairs_hook=_once_each,
            )
        except RecursionError as error:
            raise ParseError(f"JSON parse error - more than {DEPTH_MAX} levels.") from error
        except ValueError as error:
            raise ParseError(f"JSON parse error - {error}") from error
        if found := problem_of(parsed):
            place, said = found
            raise serializers.ValidationError({place or "body": [said]})
        return parsed


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object without a name that stands there twice: nobody knows which value is meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise ValueError(f"the name {ascii(twice)[:80]} stands twice in one object")
    return found


def problem_of(value: Any, *, place: str = "", depth: int = 0) -> tuple[str, str] | None:
    """Returns the first value that could not be kept, by where it stands, and why; None without
    one.
    """
    if depth > DEPTH_MAX:
        return place.partition(".")[0], f"This has more than {DEPTH_MAX} levels."
    if said := _wrong_with(value):
        return place, said
    for name, part in _parts_of(value):
        inner = f"{place}.{_shown(name)}".lstrip(".")
        said = _wrong_with(name)
        found = (inner, said) if said else problem_of(part, place=inner, depth=depth + 1)
        if found:
            return found
    return None


def _wrong_with(value: Any) -> str:
    match value:
        case str() if not is_storable(value):
            return UNSTORABLE
        case float() if not math.isfinite(value):
            return "This is no finite number."
        case int() if abs(value) > INTEGER_MAX:
            return f"This number is beyond {INTEGER_MAX}."
    return ""


def _parts_of(value: Any) -> list[tuple[str, Any]]:
    match value:
        case dict():
            return [(str(name), part) for name, part in value.items()]
        case list():
            return [(str(place), part) for place, part in enumerate(value)]
    return []


class KnownFieldsSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know, by name: a misspelt one must not be a default."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = set(data) - set(self.fields) if isinstance(data, dict) else set()
        if unknown:
            known = ", ".join(self.fields)
            raise serializers.ValidationError(
                {str(name): [f"There is no such field; there are {known}."] for name in unknown}
            )
        return super().to_internal_value(data)


class FiniteFloatField(serializers.FloatField):
    """Neither infinity nor NaN, which JSON cannot say and texts can."""

    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if not math.isfinite(value):
            self.fail("invalid")
        return value

"""How a reader likes their reading room: their own keys and mouse buttons by command."""

import json
from typing import Any

from feedback_app.accounts.models import User
from feedback_app.readings.models import ReaderPreferences
from generation.errors import RemediableError

BYTES_MAX = 4_096
NAME_MAX = 64
KEYS_MAX = 8
SHAPE = f'Send {{"bindings": {{command: [key, ...]}}}} with up to {KEYS_MAX} keys a command.'


def preferences_of(reader: User) -> dict[str, Any]:
    stored = ReaderPreferences.objects.filter(reader=reader).first()
    return {"bindings": stored.bindings if stored else {}}


def save_preferences(reader: User, given: object) -> dict[str, Any]:
    """Replace them all; raises ``RemediableError`` for another shape."""
    if not isinstance(given, dict) or set(given) != {"bindings"}:
        raise RemediableError("The preferences are not as the page sends them.", remedy=SHAPE)
    bindings = given["bindings"]
    if not isinstance(bindings, dict) or not all(
        _is_name(command) and _are_keys(keys) for command, keys in bindings.items()
    ):
        raise RemediableError("The bindings are not commands with their keys.", remedy=SHAPE)
    size = len(json.dumps(bindings).encode())
    if size > BYTES_MAX:
        raise RemediableError(
            f"The preferences have {size:,} bytes.", remedy=f"Bind less, up to {BYTES_MAX:,} bytes."
        )
    ReaderPreferences.objects.update_or_create(reader=reader, defaults={"bindings": bindings})
    return preferences_of(reader)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= NAME_MAX and "\x00" not in value


def _are_keys(value: object) -> bool:
    return isinstance(value, list) and len(value) <= KEYS_MAX and all(map(_is_name, value))

"""The audit log in words: its rows keep dotted names, which programs and filters go by."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

OWN_WORDS = {
    "comment.flag_confirmed": "Flag confirmed in a comment",
    "comment.flag_dismissed": "Flag not meant by a comment",
    "comment.flag_taken_back": "Decision on a comment taken back",
    "drafts.brought_in": "Draft reports brought in",
    "instructions.downloaded": "Instruction data downloaded",
    "logout": "Logged out",
    "login.failed": "Login failed",
    "login.locked": "Login locked",
    "login.refused": "Login refused",
    "login.succeeded": "Logged in",
    "login.unlocked": "Login unlocked",
    "model.overruled": "Model version promoted against its gate",
    "model.promoted": "Model version promoted",
    "policy.left_out": "Images left out of a policy",
    "policy.let_in": "Images let into a policy",
    "prompt_set.versioned": "Version of a prompt set made",
    "study.adjudication_withdrawn": "Adjudication withdrawn",
    "study.due": "Study’s due date set",
    "study.readings_taken_out": "Readings of a study downloaded",
    "study.sent_to_adjudication": "Cases sent to adjudication",
    "user.recovery_codes_made": "Recovery codes made",
}
"""What thing and verb alone would not say well."""
THINGS = {
    "curated_set": "curated set",
    "fine_tune": "fine-tune",
    "report_snapshot": "snapshot of reports",
    "token": "API token",
    "user": "person",
    "vlm": "VLM",
    "vlm_fine_tune": "VLM’s training",
    "vlm_gate": "VLM’s gate",
}
KEYS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
CHANGES = ("changed", "role_kept")
"""Lines whose details are a value before and one after."""


def action_in_words(action: str) -> str:
    """``study.readers_added`` as “Study: readers added”, where it has no words of its own."""
    if action in OWN_WORDS:
        return OWN_WORDS[action]
    thing, _, verb = action.partition(".")
    thing, verb = THINGS.get(thing, _spaced(thing)), _spaced(verb)
    separator = ": " if " " in verb else " "
    return _capital(f"{thing}{separator}{verb}".strip())


def details_in_words(action: str, details: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields what each detail is called, and what it says; the keys of rows say nothing to
    people.
    """
    is_change = action.endswith(CHANGES)
    for name, value in details.items():
        said = _said(value, is_change=is_change)
        if said and not KEYS.fullmatch(said):
            yield _spaced(name), said


def _said(value: Any, *, is_change: bool) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case [before, after] if is_change:
            return (
                f"{_said(before, is_change=False) or '–'} → {_said(after, is_change=False) or '–'}"
            )
        case list():
            return ", ".join(_said(one, is_change=False) for one in value)
        case int():
            return f"{value:,}"
        case None:
            return ""
    return str(value)


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

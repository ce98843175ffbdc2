"""A command's options, from a request's fields."""

from argparse import ArgumentParser, BooleanOptionalAction, _ArgumentGroup
from collections.abc import Iterable, Mapping
from typing import Any

from feedback_app.requests.limits import Field, field_of


def add_options(
    parser: ArgumentParser | _ArgumentGroup,
    kind: type[Any],
    names: Iterable[str],
    *,
    flags: Mapping[str, str] | None = None,
    prefix: str = "",
    shown: Mapping[str, str] | None = None,
) -> None:
    """An option for each of these fields of a request, checked only when the request is read.

    A field's option has its name unless ``flags`` has another; ``shown`` stands for values in
    the help. ``prefix`` keeps apart what two requests of one command call by the same name.
    """
    for name in names:
        field = field_of(kind, name)
        flag = (flags or {}).get(name) or f"--{name.replace('_', '-')}"
        parser.add_argument(
            flag,
            dest=prefix + name,
            default=None,
            help=_help(field).replace("%", "%%"),
            **_shape(field, flag=flag, shown=(shown or {}).get(name)),
        )


def given(options: Mapping[str, Any], names: Iterable[str], *, prefix: str = "") -> dict[str, Any]:
    """Returns what was given of these fields; the request has defaults for the others."""
    values = {name: options[prefix + name] for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _shape(field: Field, *, flag: str, shown: str | None) -> dict[str, Any]:
    if field.item is bool:
        return _switch(field, flag=flag)
    shape: dict[str, Any] = {"choices": field.choices} if field.choices else {}
    if shown or not field.choices:
        shape["metavar"] = shown or field.item.__name__.replace("str", "text").upper()
    return {**shape, "nargs": "+"} if field.holds_several else shape


def _switch(field: Field, *, flag: str) -> dict[str, Any]:
    """``--name`` and ``--no-name``; a flag of another name can only switch on what is off."""
    if flag == f"--{field.name.replace('_', '-')}":
        return {"action": BooleanOptionalAction}
    if field.default:
        raise ValueError(f"{flag} would switch {field.name} on, which it is without it.")
    return {"action": "store_true"}


def _help(field: Field) -> str:
    said = field.description or field.title
    if field.item is bool or field.default in (None, "", ()):
        return said
    default = " ".join(field.default) if field.holds_several else field.default
    return f"{said} (default: {default})"

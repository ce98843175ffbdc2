"""What a request says of one of its fields, for forms and commands to be derived from."""

from collections.abc import Iterable
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

BOUNDS = ("ge", "gt", "le", "lt", "min_length", "max_length", "multiple_of")


@dataclass(frozen=True, kw_only=True)
class Field:
    """``item`` is the type of one value where the field holds several, else its own.

    ``bounds`` are pydantic's: ``ge``, ``lt``, ``max_length`` and so on. ``default`` is None
    where the field has none. Of a mapping it is all that is said of one of its values.
    """

    name: str
    item: Any
    holds_several: bool
    default: Any
    title: str
    description: str
    bounds: dict[str, Any]

    @property
    def choices(self) -> tuple[Any, ...]:
        return get_args(self.item) if get_origin(self.item) is Literal else ()


def field_of(kind: type[Any], name: str) -> Field:
    """Returns the field of this name of a pydantic model or dataclass."""
    info: FieldInfo = kind.__pydantic_fields__[name]
    plain, constraints = _bare(info.annotation)
    if get_origin(plain) is dict:
        return _value_of(plain, name=name, title=info.title or name)
    holds_several = get_origin(plain) is tuple
    return Field(
        name=name,
        item=_bare(get_args(plain)[0])[0] if holds_several else plain,
        holds_several=holds_several,
        default=None if info.is_required() else info.get_default(call_default_factory=True),
        title=info.title or name.replace("_", " ").capitalize(),
        description=info.description or "",
        bounds=_bounds([*info.metadata, *constraints]),
    )


def _value_of(mapping: Any, *, name: str, title: str) -> Field:
    item, constraints = _bare(get_args(mapping)[1])
    return Field(
        name=name,
        item=item,
        holds_several=False,
        default=None,
        title=title,
        description="",
        bounds=_bounds(constraints),
    )


def _bare(annotation: Any) -> tuple[Any, list[Any]]:
    """Returns a type without None and ``Annotated``, and the constraints that were around it."""
    if get_origin(annotation) is Annotated:
        inner, *said = get_args(annotation)
        bare, constraints = _bare(inner)
        for each in said:
            constraints += each.metadata if isinstance(each, FieldInfo) else [each]
        return bare, constraints
    if get_origin(annotation) in {Union, UnionType}:
        (only,) = (part for part in get_args(annotation) if part is not NoneType)
        return _bare(only)
    return annotation, []


def _bounds(constraints: Iterable[Any]) -> dict[str, Any]:
    return {
        name: bound
        for constraint in constraints
        for name in BOUNDS
        if (bound := getattr(constraint, name, None)) is not None
    }

"""A page's form fields, from a request's fields."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from feedback_app.requests.limits import Field, field_of


def form_field_of(
    kind: type[Any],
    name: str,
    *,
    labels: Mapping[Any, str] | None = None,
    **changes: Any,
) -> Any:
    """Returns the form field with label, help, default and limits of a request's field.

    ``labels`` are what the values of a choice are called; ``changes`` are arguments of the
    form field, such as its widget or another label. Of a mapping it is the field of one of
    its values, whose own limit the request knows by its key. The answer is a
    ``forms.Field``; it is typed as anything so that its subclass need not be named.
    """
    field = field_of(kind, name)
    form_class, arguments = _choice(field, labels or {}) if field.choices else _value(field)
    common = {"label": field.title, "help_text": field.description, "initial": field.default}
    return form_class(**{**common, **arguments, **changes})


def _choice(field: Field, labels: Mapping[Any, str]) -> tuple[type[forms.Field], dict[str, Any]]:
    choices = [(value, labels.get(value, value)) for value in field.choices]
    if not field.holds_several:
        return forms.ChoiceField, {"choices": choices}
    return forms.MultipleChoiceField, {
        "choices": choices,
        "required": bool(field.bounds.get("min_length")),
        "widget": forms.CheckboxSelectMultiple,
    }


def _value(field: Field) -> tuple[type[forms.Field], dict[str, Any]]:
    bounds = field.bounds
    if field.item is bool:
        return forms.BooleanField, {"required": False}
    if field.item is int:
        return forms.IntegerField, _whole_bounds(bounds)
    if field.item is float:
        limits = {"min_value": bounds.get("ge"), "max_value": bounds.get("le")}
        return forms.FloatField, {**limits, "validators": _exclusive(bounds)}
    if field.item is date:
        picker = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        return forms.DateField, {"required": False, "widget": picker}
    if field.item is str and not field.holds_several:
        limits = {name: bounds.get(name) for name in ("min_length", "max_length")}
        return forms.CharField, {**limits, "required": bool(limits["min_length"])}
    raise TypeError(f"There is no form field for {field.name}, which is of {field.item}.")


def _whole_bounds(bounds: Mapping[str, Any]) -> dict[str, Any]:
    """Whole numbers below 5 are those up to 4."""
    least = bounds["gt"] + 1 if "gt" in bounds else bounds.get("ge")
    most = bounds["lt"] - 1 if "lt" in bounds else bounds.get("le")
    return {"min_value": least, "max_value": most, "step_size": bounds.get("multiple_of")}


def _exclusive(bounds: Mapping[str, Any]) -> list[Any]:
    """Checks for limits that are not among the values, for which Django has none."""

    def check(value: float) -> None:
        if "gt" in bounds and value <= bounds["gt"]:
            raise ValidationError(f"Ensure this value is greater than {bounds['gt']}.")
        if "lt" in bounds and value >= bounds["lt"]:
            raise ValidationError(f"Ensure this value is less than {bounds['lt']}.")

    return [check]

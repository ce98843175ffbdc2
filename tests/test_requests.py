"""A request spelled once: what forms, options and errors are derived from it."""

from argparse import ArgumentParser
from typing import Annotated, Any, Literal

import pytest
from django import forms
from django.core.management import CommandError
from pydantic import Field

from feedback_app.remedies import as_command_error, complain
from feedback_app.requests import (
    Problem,
    Request,
    RequestError,
    add_options,
    at,
    form_field_of,
    given,
    read,
)
from generation.errors import RemediableError


class Part(Request):
    seed: int = Field(default=0, ge=0)
    kinds: tuple[Literal["a", "b"], ...] = Field(default=("a",), min_length=1)


class Order(Request):
    name: str = Field(min_length=1, max_length=5)
    count: int = Field(default=2, gt=0, lt=10, title="How many", description="In all")
    rate: float = Field(default=0.5, gt=0, le=1)
    side: Annotated[int, Field(ge=8, multiple_of=8)] | None = None
    is_quick: bool = False
    part: Part | None = None


def complaints(field: Any, value: Any) -> list[str]:
    try:
        field.clean(value)
    except forms.ValidationError as error:
        return list(error.messages)
    return []


def test_a_form_field_has_label_help_default_and_limits_of_the_request() -> None:
    count = form_field_of(Order, "count")
    assert (count.label, count.help_text, count.initial) == ("How many", "In all", 2)
    assert (count.min_value, count.max_value) == (1, 9)
    rate = form_field_of(Order, "rate")
    assert complaints(rate, "0") == ["Ensure this value is greater than 0."]
    assert "less than or equal to 1" in complaints(rate, "1.5")[0]
    assert not complaints(rate, "1")
    side = form_field_of(Order, "side", required=False)
    assert (side.min_value, complaints(side, "12") != []) == (8, True)
    name = form_field_of(Order, "name", label="Called")
    assert (name.label, name.required, name.max_length) == ("Called", True, 5)
    kinds = form_field_of(Part, "kinds", labels={"a": "First"})
    assert (kinds.choices, kinds.required) == ([("a", "First"), ("b", "b")], True)
    assert not form_field_of(Order, "is_quick").required


def test_a_command_hands_on_only_what_was_given() -> None:
    parser = ArgumentParser()
    add_options(parser, Order, ["count", "rate", "is_quick"], flags={"rate": "--pace"})
    add_options(parser, Part, ["seed", "kinds"], prefix="part_", flags={"seed": "--part-seed"})
    options = vars(parser.parse_args(["--pace", "1", "--kinds", "a", "b", "--part-seed", "7"]))
    assert given(options, ["count", "rate", "is_quick"]) == {"rate": "1"}
    part = given(options, ["seed", "kinds"], prefix="part_")
    order = read(Order, {"name": "x", **given(options, ["count", "rate"]), "part": part})
    assert order == Order(name="x", rate=1.0, part=Part(seed=7, kinds=("a", "b")))
    assert "In all (default: 2)" in parser.format_help()


def test_all_that_is_wrong_is_told_at_its_place() -> None:
    with pytest.raises(RequestError) as caught:
        read(Order, {"count": 10, "part": {"kinds": ["c"], "seed": -1}, "colour": "red"})
    assert set(caught.value.fields) == {"name", "count", "part", "colour"}
    assert caught.value.fields["name"] == ["This field is required."]
    assert caught.value.fields["colour"] == ["There is no such field."]
    assert caught.value.fields["part"] == {
        "kinds": {"0": ["Input should be 'a' or 'b'."]},
        "seed": ["Input should be greater than or equal to 0."],
    }
    assert "count = 10: Input should be less than 10." in str(caught.value)
    for values in (["a list"], None, "text"):
        with pytest.raises(RequestError) as caught:
            read(Order, values)
        assert set(caught.value.fields) == {"non_field_errors"}
    for rate in (float("nan"), float("inf"), "nan"):
        with pytest.raises(RequestError, match="finite number"):
            read(Order, {"name": "x", "rate": rate})


def test_what_is_found_out_later_is_told_at_its_field_too() -> None:
    class OrderForm(forms.Form):
        name = form_field_of(Order, "name")

    with pytest.raises(RequestError) as caught, at("name"):
        raise RemediableError("Nobody is called so.", remedy="Name somebody.")
    assert caught.value.fields == {"name": ["Nobody is called so."]}
    assert (str(caught.value), caught.value.remedy) == ("Nobody is called so.", "Name somebody.")
    form = OrderForm({"name": "x"})
    complain(form, None, caught.value)
    assert form.errors == {"name": ["Nobody is called so. Name somebody."]}
    deep = RequestError([Problem(("part", "seed"), "It is taken.")], remedy="Take another.")
    form = OrderForm({"name": "x"})
    complain(form, None, deep)
    assert form.non_field_errors() == ["It is taken. Take another."]


def test_a_command_ends_with_what_is_wrong_and_what_to_do() -> None:
    with (
        pytest.raises(CommandError, match=r"\ANobody is called so\.\nName somebody\.\Z"),
        as_command_error(),
    ):
        raise RemediableError("Nobody is called so.", remedy="Name somebody.")

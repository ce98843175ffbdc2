"""Columns that lists share; a column's cell is a template where it says more than a value."""

from typing import Any

from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django_tables2 import Column, DateTimeColumn, Table

NUMBER = {"th": {"class": "number"}, "td": {"class": "number"}}


class CellColumn(Column):
    """A cell from a template of its own, with its row as ``record``."""

    empty_values = ()

    def __init__(self, template: str, **options: Any) -> None:
        super().__init__(**options)
        self.template = template

    def render(self, record: Any, value: Any, table: Table) -> SafeString:
        shown = {
            "record": record,
            "value": value,
            "request": table.request,
            "csrf_token": get_token(table.request),
        }
        return render_to_string(self.template, shown)


class NumberColumn(Column):
    """A count, with commas, to the right."""

    def __init__(self, **options: Any) -> None:
        super().__init__(attrs=NUMBER, **options)

    def render(self, value: Any) -> str:
        return f"{value:,}"


class TimeColumn(DateTimeColumn):
    """It shows a time to the minute."""

    def __init__(self, **options: Any) -> None:
        super().__init__(format="j M Y, H:i", attrs=NUMBER, **options)

"""Filters of lists: what every list's filter has in common."""

from typing import Any

from django.db.models import Q, QuerySet
from django.forms import TextInput
from django_filters import CharFilter, FilterSet

WORDS_LENGTH = 200


class WordsFilter(CharFilter):
    """Rows that have every word in one of ``fields``."""

    def __init__(self, *fields: str, label: str = "Words") -> None:
        super().__init__(
            label=label,
            max_length=WORDS_LENGTH,
            widget=TextInput(attrs={"type": "search", "data-search": True}),
        )
        self.searched = fields

    def filter(self, qs: "QuerySet[Any]", value: str) -> "QuerySet[Any]":
        for word in (value or "").split():
            has_word = Q()
            for field in self.searched:
                has_word |= Q(**{f"{field}__icontains": word})
            qs = qs.filter(has_word)
        return qs


class ListFilter(FilterSet):
    """A list's filter; a value that it does not know filters nothing and is complained of."""

    @property
    def asked(self) -> dict[str, str]:
        """What is filtered by, by the names of its fields."""
        return {name: self.data[name] for name in self.filters if self.data.get(name)}

"""Which rows of a list come, in which order, and which of their fields."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request

from feedback_app.incoming import is_tellable

FIELDS = "fields"
ORDERING = "ordering"
Parameter = dict[str, Any]


class Filters(DjangoFilterBackend):
    """django-filter's, which names what it knows and refuses values that make no sense."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: Any
    ) -> QuerySet[Any]:
        chosen = self.get_filterset(request, queryset, view)
        if chosen is not None and chosen.is_valid():
            for name, value in chosen.form.cleaned_data.items():
                if isinstance(value, datetime) and not is_tellable(value):
                    raise ValidationError({name: ["This is beyond the times that can be told."]})
        return super().filter_queryset(request, queryset, view)

    def names_of(self, view: Any) -> frozenset[str]:
        """Returns the parameters by which a view's rows are chosen."""
        kind = self.get_filterset_class(view, getattr(view, "queryset", None))
        return frozenset(kind.base_filters if kind else ())


class Ordering(OrderingFilter):
    """By fields that the view names; ties are broken by key, so that pages do not overlap."""

    ordering_param = ORDERING

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> list[str]:
        asked = request.query_params.get(ORDERING)
        known = order_names(view)
        if asked is None:
            own = queryset.query.order_by or queryset.model._meta.ordering
            return [*own, "pk"]
        names = asked.split(",")
        if unknown := [name for name in names if name not in known]:
            raise ValidationError(
                {ORDERING: [f"There is no order “{unknown[0]}”; there are {', '.join(known)}."]}
            )
        return [*names, "pk"]

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: Any
    ) -> QuerySet[Any]:
        return queryset.order_by(*self.get_ordering(request, queryset, view))

    def get_schema_operation_parameters(self, view: Any) -> list[Parameter]:
        known = order_names(view)
        return [_listed(ORDERING, known, "Fields to order by; - turns one round")] if known else []


class FieldChoice:
    """``?fields=`` names what an answer has of each row; by default that is all."""

    def filter_queryset(self, _: Request, queryset: QuerySet[Any], __: Any) -> QuerySet[Any]:
        return queryset

    def get_schema_operation_parameters(self, view: Any) -> list[Parameter]:
        names = view.fields_of(view.action)
        return [field_parameter(names)] if names else []


def field_parameter(names: Iterable[str]) -> Parameter:
    return _listed(FIELDS, names, "Fields that the answer has of each row")


def keep_fields(serializer: Any, asked: str) -> None:
    """Leave out the fields of a serializer that were not asked for."""
    fields = getattr(serializer, "child", serializer).fields
    names = asked.split(",")
    if unknown := [name for name in names if name not in fields]:
        raise ValidationError(
            {FIELDS: [f"There is no field “{unknown[0]}”; there are {', '.join(fields)}."]}
        )
    for name in set(fields) - set(names):
        fields.pop(name)


def order_names(view: Any) -> list[str]:
    names = getattr(view, "ordering_fields", ())
    return [sign + name for name in names for sign in ("", "-")]


def _listed(name: str, values: Iterable[str], said: str) -> Parameter:
    return {
        "name": name,
        "required": False,
        "in": "query",
        "description": f"{said}, with commas between them.",
        "schema": {
            "type": "array",
            "items": {"type": "string", "enum": list(values)},
            "minItems": 1,
            "uniqueItems": True,
        },
        "style": "form",
        "explode": False,
    }

"""Rows that stand in another model than the one that is asked for."""

from typing import Any

from django.db import models
from django.db.models import Func, Subquery
from django.db.models.functions import Coalesce


def related_rows(model: type[models.Model], name: str) -> Any:
    """Returns the manager of a model that is defined later, or in an app that builds on this
    one.
    """
    return model._meta.get_field(name).related_model.objects  # type: ignore[union-attr]


def number_of(rows: "models.QuerySet[Any]") -> Coalesce:
    """Returns how many there are, as part of another query; a function, so that nothing is
    grouped.
    """
    count = Func(template="COUNT(*)", output_field=models.IntegerField())
    return Coalesce(Subquery(rows.order_by().values(number=count)), 0)

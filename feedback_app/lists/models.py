"""What somebody keeps of a list: its filter and order under a name of their own."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

NAME_LENGTH = 60
QUERY_LENGTH = 2_000
VIEWS_MAX = 30
"""So many views of one list are as many as its head can show."""


class SavedView(models.Model):
    """A list's address under a name; ``query`` is what stands behind the question mark."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views"
    )
    listing = models.CharField(max_length=40)
    name = models.CharField(max_length=NAME_LENGTH)
    query = models.CharField(max_length=QUERY_LENGTH, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                name="one_saved_view_a_name", fields=["owner", "listing", "name"]
            )
        ]

    def __str__(self) -> str:
        return self.name


class HiddenColumns(models.Model):
    """The columns of a list that somebody does not want to see."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="hidden_columns"
    )
    listing = models.CharField(max_length=40)
    names = ArrayField(models.CharField(max_length=60), default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_choice_of_columns_a_list", fields=["owner", "listing"]
            )
        ]

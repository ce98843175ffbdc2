"""Which cases a coordinator reviews, and in which order."""

from typing import Any

from django import forms

from feedback_app.accounts.models import User
from feedback_app.studies.models import Study

SHOWN = (
    ("", "All that were read"),
    ("commented", "With a comment"),
    ("skipped", "Skipped"),
    ("flagged", "With a flag"),
    ("regions", "With a region"),
    ("none_acceptable", "None acceptable"),
    ("sent", "In adjudication"),
    ("settled", "Settled by adjudication"),
    ("gold_missed", "Gold answer missed"),
    ("bookmarked", "Bookmarked"),
)
NUMBER_MAX = 2**31 - 1
ORDERS = (("", "By number"), ("disagreement", "Most disputed first"))


class CasesForm(forms.Form):
    show = forms.ChoiceField(label="Cases", choices=SHOWN, required=False)
    flag = forms.ChoiceField(label="Flag", required=False)
    reader = forms.ModelChoiceField(
        User.objects.none(), label="Reader", required=False, empty_label="Any"
    )
    number = forms.IntegerField(
        label="Case number", required=False, min_value=1, max_value=NUMBER_MAX
    )
    order = forms.ChoiceField(label="Order", choices=ORDERS, required=False)

    def __init__(self, data: Any, *, study: Study) -> None:
        super().__init__(data)
        flag, reader = self.fields["flag"], self.fields["reader"]
        flag.choices = [  # type: ignore[attr-defined]
            ("", "Any"),
            *study.flag_kinds.order_by("position").values_list("slug", "name"),
        ]
        reader.queryset = study.readers.order_by("first_name")  # type: ignore[attr-defined]
        reader.label_from_instance = lambda person: person.display_name  # type: ignore[attr-defined]

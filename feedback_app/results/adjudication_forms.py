"""Which cases a coordinator sends to adjudication, and to whom."""

from typing import Any

from django import forms
from django.http import QueryDict

from feedback_app.accounts.models import User
from feedback_app.requests import form_field_of, read
from feedback_app.results.adjudication_requests import AdjudicationRequest, possible_adjudicators
from feedback_app.studies.choice_fields import ReaderChoice
from feedback_app.studies.models import Study


class AdjudicationForm(forms.Form):
    """Cases are ticked where they stand, outside of the form."""

    most_disputed = form_field_of(
        AdjudicationRequest,
        "most_disputed",
        label="Or so many of the most disputed",
        required=False,
        help_text="Of those that were not sent yet.",
    )
    adjudicators = ReaderChoice(
        User.objects.none(),
        label="To",
        widget=forms.CheckboxSelectMultiple,
        help_text="Several make a consensus round. Nobody is sent a case twice.",
    )

    def __init__(self, data: QueryDict | None = None, *, study: Study) -> None:
        super().__init__(data)
        self.fields["adjudicators"].queryset = possible_adjudicators(study)  # type: ignore[attr-defined]

    def request(self, ticked: list[int]) -> AdjudicationRequest:
        data: dict[str, Any] = self.cleaned_data
        return read(
            AdjudicationRequest,
            {
                "cases": ticked,
                "most_disputed": 0 if ticked else data["most_disputed"] or 0,
                "adjudicators": [reader.username for reader in data["adjudicators"]],
            },
        )

"""Whose readings are retracted, and why."""

from typing import Any

from django import forms

from feedback_app.accounts.models import User
from feedback_app.readings.models import Reading, Retraction
from feedback_app.readings.services.retractions import REASON_MAX
from feedback_app.studies.models import Study

READER, STUDY = "reader", "study"


def retractable_readers() -> dict[str, str]:
    """Who has read something and is not retracted."""
    read = Reading.objects.order_by().values("reader").distinct()
    gone = Retraction.objects.active().readers()
    return {
        f"{READER}:{reader.pk}": reader.display_name
        + (" (simulated)" if reader.is_simulated else "")
        for reader in User.objects.filter(pk__in=read).exclude(pk__in=gone).order_by("username")
    }


def retractable_studies() -> dict[str, str]:
    read = Reading.objects.order_by().values("slot__study").distinct()
    gone = Retraction.objects.active().studies()
    studies = Study.objects.filter(pk__in=read).exclude(pk__in=gone).order_by("name")
    return {f"{STUDY}:{study.pk}": study.name for study in studies}


class RetractionForm(forms.Form):
    target = forms.ChoiceField(label="Readings of")
    reason = forms.CharField(
        max_length=REASON_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="It is logged, and shown wherever something rests on these readings.",
    )
    is_seen = forms.BooleanField(label="I have seen what rests on these readings")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["target"].choices = [  # type: ignore[attr-defined]
            ("", "Choose …"),
            ("Readers", list(retractable_readers().items())),
            ("Studies", list(retractable_studies().items())),
        ]

    @property
    def whose(self) -> dict[str, Any]:
        """``reader`` or ``study``, for ``retract``."""
        kind, _, pk = str(self.cleaned_data["target"]).partition(":")
        if kind == READER:
            return {READER: User.objects.get(pk=pk)}
        return {STUDY: Study.objects.get(pk=pk)}


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=REASON_MAX, widget=forms.Textarea(attrs={"rows": 2}))

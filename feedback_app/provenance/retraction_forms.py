"""Whose readings are retracted, and why."""

from typing import Any

from django import forms

from feedback_app.accounts.models import User
from feedback_app.readings.models import Reading
from feedback_app.readings.retraction_models import Retraction
from feedback_app.readings.services.retractions import REASON_MAX
from feedback_app.studies.models import Study

READER, STUDY, PLACE = "reader", "study", "place"


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


def retractable_places() -> dict[str, str]:
    """Who has read in which study, where neither of the two is retracted, nor both together."""
    read = Reading.objects.standing().order_by().values_list("reader", "slot__study").distinct()
    people, studies = User.objects.in_bulk(), Study.objects.in_bulk()
    named = [
        (f"{PLACE}:{reader}:{study}", f"{people[reader].display_name} in “{studies[study]}”")
        for reader, study in read
    ]
    return dict(sorted(named, key=lambda one: one[1]))


def retractable() -> dict[str, str]:
    return {**retractable_readers(), **retractable_studies(), **retractable_places()}


def whose(target: str) -> dict[str, Any]:
    """``reader``, ``study`` or both, for ``retract``."""
    kind, _, pk = target.partition(":")
    if kind == READER:
        return {READER: User.objects.get(pk=pk)}
    if kind == STUDY:
        return {STUDY: Study.objects.get(pk=pk)}
    reader, _, study = pk.partition(":")
    return {READER: User.objects.get(pk=reader), STUDY: Study.objects.get(pk=study)}


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
            ("One reader of one study", list(retractable_places().items())),
        ]

    @property
    def whose(self) -> dict[str, Any]:
        return whose(str(self.cleaned_data["target"]))


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=REASON_MAX, widget=forms.Textarea(attrs={"rows": 2}))

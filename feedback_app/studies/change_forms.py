"""Changing a study that is open."""

from typing import Any

from django import forms

from feedback_app.accounts.models import User
from feedback_app.images.models import Batch, Scorer
from feedback_app.requests import form_field_of
from feedback_app.studies.choice_fields import (
    BatchChoice,
    OffersBatches,
    OneBatchChoice,
    ReaderChoice,
    RewardModelChoice,
)
from feedback_app.studies.choices import people, reward_models
from feedback_app.studies.models import Study, StudyState
from feedback_app.studies.modes import mode_of
from feedback_app.studies.requests import StudyRequest


class ReadersForm(forms.Form):
    """Who joins an open study."""

    readers = ReaderChoice(queryset=User.objects.none(), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        joined = study.readers.values("pk")
        self.fields["readers"].queryset = people().exclude(pk__in=joined)  # type: ignore[attr-defined]


class DueForm(forms.Form):
    """The day by which a study is to be read."""

    due_on = form_field_of(StudyRequest, "due_on")


class DraftForm(forms.Form):
    """The draft that takes in what was picked."""

    draft = forms.ModelChoiceField(
        Study.objects.filter(state=StudyState.DRAFT), empty_label="choose a draft"
    )


class RewardModelForm(forms.Form):
    """Whose doubts lead what is still free in an open pool."""

    reward_model = RewardModelChoice(queryset=Scorer.objects.none(), empty_label=None)

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["reward_model"]
        field.queryset = reward_models()  # type: ignore[attr-defined]
        field.initial = study.active_order.reward_model


class AnyBatchesForm(OffersBatches):
    """Batches to choose among."""

    batches = BatchChoice(queryset=Batch.objects.all(), widget=forms.CheckboxSelectMultiple)
    against = OneBatchChoice(
        queryset=Batch.objects.all(),
        required=False,
        empty_label="one another: pairs of one prompt",
    )


class BatchesForm(AnyBatchesForm):
    """Further candidates for an open study."""

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not mode_of(study.mode).takes_second_batch:
            del self.fields["against"]
        self.offer_batches()

"""Forms of training cases and of a guideline's examples."""

from typing import Any

from django import forms

from feedback_app.images.models import Image
from feedback_app.studies import services
from feedback_app.studies.gold_forms import AnswersForm
from feedback_app.studies.models import GuidelineExample, Study, questions_of
from feedback_app.studies.models.calibration import NOTE_LENGTH, REASON_LENGTH


class TrainingForm(AnswersForm):
    """The reference answers of a training case, and why they are right."""

    reason = forms.CharField(
        label="Why this is right",
        max_length=REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Shown to the reader after their answer.",
    )


class ExampleForm(forms.Form):
    """An image that shows what a score or a flag means."""

    about = forms.ChoiceField(label="The image shows")
    note = forms.CharField(
        required=False, max_length=NOTE_LENGTH, help_text="What to look at, in a sentence."
    )
    image = forms.ModelChoiceField(
        queryset=Image.objects.all(), error_messages={"required": "Choose an image below."}
    )

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.study = study
        asked = questions_of(study)
        scores = [
            (f"{criterion.slug}={value}", f"{criterion.name}, {value}: {anchor}")
            for criterion in asked.criteria
            for value, anchor in enumerate(criterion.anchors)
        ]
        flags = [(f"flag={kind.slug}", kind.name) for kind in asked.flag_kinds]
        self.fields["about"].choices = [("Scores", scores), ("Flags", flags)]  # type: ignore[attr-defined]

    def save(self) -> GuidelineExample:
        kind, _, value = self.cleaned_data["about"].rpartition("=")
        about: dict[str, Any] = (
            {"flag": value} if kind == "flag" else {"criterion": kind, "value": int(value)}
        )
        return services.add_example(
            self.study, self.cleaned_data["image"], note=self.cleaned_data["note"], **about
        )

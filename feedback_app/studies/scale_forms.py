"""The questions of a study, as forms: ordinal criteria with anchors, and comparisons."""

from collections.abc import Iterable
from typing import Any

from django import forms

from feedback_app.requests import form_field_of
from feedback_app.studies.models import SCORE_MAX, Criterion, CriterionKind
from feedback_app.studies.models.questions import ANCHOR_LENGTH
from feedback_app.studies.requests import SCALES_MAX, CriterionRequest
from feedback_app.studies.scales import STANDARD_SCALES, Scale


class ComparisonForm(forms.Form):
    """One criterion on which two images are compared."""

    kind = CriterionKind.COMPARISON
    name = form_field_of(CriterionRequest, "name")
    question = form_field_of(CriterionRequest, "question")

    def scale(self) -> Scale:
        return Scale(
            name=self.cleaned_data["name"],
            question=self.cleaned_data["question"],
            kind=self.kind,
        )


class PreferenceForm(ComparisonForm):
    """One criterion on which two reports are compared by points."""

    kind = CriterionKind.PREFERENCE


class ScaleForm(forms.Form):
    """It takes one ordinal criterion; ``anchor_0`` to ``anchor_5`` say what the scores mean."""

    name = form_field_of(CriterionRequest, "name")
    question = form_field_of(CriterionRequest, "question")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for score in range(SCORE_MAX + 1):
            self.fields[f"anchor_{score}"] = forms.CharField(
                max_length=ANCHOR_LENGTH, label=str(score)
            )

    @property
    def anchors(self) -> list[forms.BoundField]:
        return [self[f"anchor_{score}"] for score in range(SCORE_MAX + 1)]

    def scale(self) -> Scale:
        data = self.cleaned_data
        anchors = tuple(data[f"anchor_{at}"] for at in range(SCORE_MAX + 1))
        return Scale(name=data["name"], question=data["question"], anchors=anchors)


class BaseScaleFormSet(forms.BaseFormSet):
    def clean(self) -> None:
        if not any(self.errors) and not self.scales():
            raise forms.ValidationError("Ask at least one question.")

    def scales(self) -> tuple[Scale, ...]:
        return tuple(
            form.scale()
            for form in self.forms
            if form.cleaned_data and not form.cleaned_data.get("DELETE")
        )


FORMS: dict[CriterionKind, tuple[type[forms.Form], str]] = {
    CriterionKind.ORDINAL: (ScaleForm, "scale"),
    CriterionKind.COMPARISON: (ComparisonForm, "comparison"),
    CriterionKind.PREFERENCE: (PreferenceForm, "preference"),
}
"""The form of one question of each kind that a coordinator may word, and its prefix."""


def scale_formset(
    data: Any, *, asked: Iterable[Scale | Criterion], kind: CriterionKind
) -> BaseScaleFormSet:
    """Returns what is asked of this kind, or the defaults, and room for more."""
    form, prefix = FORMS[kind]
    initial = scale_initial(asked, kind=kind)
    made = forms.formset_factory(
        form,
        formset=BaseScaleFormSet,
        extra=SCALES_MAX - len(initial),
        max_num=SCALES_MAX,
        validate_max=True,
        can_delete=True,
    )
    formset: BaseScaleFormSet = made(  # type: ignore[assignment]
        data, prefix=prefix, initial=initial
    )
    return formset


def scale_initial(
    asked: Iterable[Scale | Criterion], *, kind: CriterionKind
) -> list[dict[str, str]]:
    stored = [scale for scale in asked if scale.kind == kind]
    return [
        {
            "name": scale.name,
            "question": scale.question,
            **{f"anchor_{score}": anchor for score, anchor in enumerate(scale.anchors)},
        }
        for scale in stored or STANDARD_SCALES[kind]
    ]

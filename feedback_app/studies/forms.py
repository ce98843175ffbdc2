"""Designing a study."""

from typing import Any

from django import forms
from django.db.models import Count, QuerySet

from feedback_app.accounts.models import Role, User
from feedback_app.images.models import Batch
from feedback_app.studies.models import SCORE_MAX, Study, StudyMode
from feedback_app.studies.scales import DEFAULT_FLAGS, DEFAULT_SCALES, Scale

SCALES_MAX = 4


class BatchChoice(forms.ModelMultipleChoiceField):
    def label_from_instance(self, batch: Batch) -> str:
        return (
            f"{batch.name} · {batch.model_version} · "
            f"{batch.made} of {batch.asked} images of {batch.prompts} prompts"  # type: ignore[attr-defined]
        )


class ReaderChoice(forms.ModelMultipleChoiceField):
    def label_from_instance(self, reader: User) -> str:
        return reader.display_name


def batches_with_counts() -> QuerySet[Batch]:
    return Batch.objects.select_related("model_version").annotate(
        asked=Count("batchrecipe", distinct=True),
        made=Count("batchrecipe__recipe__candidate", distinct=True),
        prompts=Count("batchrecipe__prompt_index", distinct=True),
    )


class StudyForm(forms.Form):
    name = forms.CharField(
        max_length=100,
        help_text="Readers see it, so let it tell nothing about models or expectations.",
    )
    mode = forms.ChoiceField(
        choices=StudyMode.choices,
        initial=StudyMode.RATE_K,
        label="What a case shows",
        widget=forms.RadioSelect,
    )
    batches = BatchChoice(
        queryset=Batch.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Candidates of",
    )
    readers = ReaderChoice(
        queryset=User.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )
    readers_per_case = forms.IntegerField(
        min_value=1,
        max_value=20,
        initial=1,
        help_text="Two or more let agreement between readers be estimated.",
    )
    instructions = forms.CharField(
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Shown on the reader's work list and in the reading room's help.",
    )
    flags = forms.CharField(
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 12}),
        initial="\n".join(DEFAULT_FLAGS),
        label="Named artefacts that a reader may put on an image",
        help_text="One a line.",
    )

    def __init__(self, *args: Any, study: Study | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.study = study
        self.fields["batches"].queryset = batches_with_counts()  # type: ignore[attr-defined]
        self.fields["readers"].queryset = people()  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = Study.objects.exclude(pk=self.study.pk) if self.study else Study.objects
        if others.filter(name=name).exists():
            raise forms.ValidationError("Another study has this name.")
        return name

    def clean_flags(self) -> list[str]:
        names = [line.strip() for line in self.cleaned_data["flags"].splitlines() if line.strip()]
        too_long = [name for name in names if len(name) > 64]
        if too_long:
            raise forms.ValidationError(f"Shorten to 64 characters: {too_long[0]}")
        return names


class ScaleForm(forms.Form):
    """One criterion; ``anchor_0`` to ``anchor_5`` say what the scores mean."""

    name = forms.CharField(max_length=64)
    question = forms.CharField(max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for score in range(SCORE_MAX + 1):
            self.fields[f"anchor_{score}"] = forms.CharField(max_length=100, label=str(score))

    @property
    def anchors(self) -> list[forms.BoundField]:
        return [self[f"anchor_{score}"] for score in range(SCORE_MAX + 1)]

    def scale(self) -> Scale:
        data = self.cleaned_data
        one, two, three, four, five, six = (data[f"anchor_{at}"] for at in range(SCORE_MAX + 1))
        return Scale(
            name=data["name"], question=data["question"], anchors=(one, two, three, four, five, six)
        )


class BaseScaleFormSet(forms.BaseFormSet):
    def clean(self) -> None:
        if not any(self.errors) and not self.scales():
            raise forms.ValidationError("Ask at least one question.")

    def scales(self) -> list[Scale]:
        return [
            form.scale()
            for form in self.forms
            if form.cleaned_data and not form.cleaned_data.get("DELETE")
        ]


def scale_formset(extra: int) -> type[BaseScaleFormSet]:
    return forms.formset_factory(  # type: ignore[return-value]
        ScaleForm,
        formset=BaseScaleFormSet,
        extra=extra,
        max_num=SCALES_MAX,
        validate_max=True,
        can_delete=True,
    )


def scale_initial(study: Study | None) -> list[dict[str, str]]:
    scales = DEFAULT_SCALES if study is None else study.criteria.all()
    return [
        {
            "name": scale.name,
            "question": scale.question,
            **{f"anchor_{score}": anchor for score, anchor in enumerate(scale.anchors)},
        }
        for scale in scales
    ]


def study_initial(study: Study) -> dict[str, Any]:
    return {
        "name": study.name,
        "mode": study.mode,
        "batches": Batch.objects.filter(recipes__candidate__image__case__study=study).distinct(),
        "readers": study.readers.all(),
        "readers_per_case": study.readers_per_case,
        "instructions": study.instructions,
        "flags": "\n".join(study.flag_kinds.values_list("name", flat=True)),
    }


def people() -> QuerySet[User]:
    """Who may be chosen: readers that are people; a coordinator knows too much to be blind."""
    return User.objects.filter(role=Role.READER, is_active=True, is_simulated=False).order_by(
        "last_name", "username"
    )

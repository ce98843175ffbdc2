"""The policy form; which criteria and flags it has follows from the studies chosen."""

from typing import cast
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict

from feedback_app.curation.models import Policy
from feedback_app.curation.requests import PolicyRequest
from feedback_app.curation.rules import Rules
from feedback_app.curation.services import criteria_of, flags_of
from feedback_app.images.measures import BETTER, OF_PICTURES, MeasureKind
from feedback_app.images.models import Scorer, ScorerKind
from feedback_app.readings.models import Grade
from feedback_app.requests import form_field_of, read
from feedback_app.studies.models import Study, StudyState

PEOPLE, SIMULATED = "people", "simulated"
SCORE_PREFIX = "least_"
MEASURE_PREFIX = "measure_"


def measures_in_use() -> list[MeasureKind]:
    """Returns the measures of which more is better, and which candidates get now."""
    kinds = Scorer.objects.active().values_list("kind", flat=True)
    given = {ScorerKind(kind).measure for kind in kinds} | {kind.name for kind in OF_PICTURES}
    return [BETTER[name] for name in sorted(given & BETTER.keys())]


def readable_studies() -> QuerySet[Study]:
    return (
        Study.objects.own()
        .exclude(state=StudyState.DRAFT)
        .prefetch_related("criteria", "flag_kinds")
    )


class PolicyForm(forms.Form):
    name = form_field_of(
        PolicyRequest, "name", widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    studies = forms.ModelMultipleChoiceField(
        queryset=Study.objects.none(), widget=forms.CheckboxSelectMultiple
    )
    readers = forms.ChoiceField(
        choices=[(PEOPLE, "People"), (SIMULATED, "Simulated readers")],
        initial=PEOPLE,
        widget=forms.RadioSelect,
        help_text="Never both together.",
    )
    min_readers = form_field_of(PolicyRequest, "min_readers")
    vetoing_flags = forms.MultipleChoiceField(
        label="Flags that keep an image out", required=False, widget=forms.CheckboxSelectMultiple
    )
    vetoing_grade = form_field_of(
        PolicyRequest,
        "vetoing_grade",
        labels={"minor": "Minor or major", "major": "Major only"},
        widget=forms.RadioSelect,
    )
    refuses_copies = form_field_of(PolicyRequest, "refuses_copies")
    prefers_final = form_field_of(PolicyRequest, "prefers_final")

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(self._with_grade(data) if data is not None else None)
        studies = readable_studies()
        self.fields["studies"].queryset = studies  # type: ignore[attr-defined]
        self.chosen = [study for study in studies if study.pk in self._chosen_ids()]
        self.criteria = criteria_of(self.chosen)
        for slug, name in self.criteria.items():
            self.fields[SCORE_PREFIX + slug] = form_field_of(
                PolicyRequest,
                "min_mean_scores",
                label=name,
                required=False,
                widget=forms.NumberInput(attrs={"step": 0.25, "placeholder": "any"}),
            )
        self.measures = measures_in_use()
        for kind in self.measures:
            self.fields[MEASURE_PREFIX + kind.name] = form_field_of(
                PolicyRequest,
                "min_measures",
                label=kind.label,
                required=False,
                max_value=kind.most,
                widget=forms.NumberInput(attrs={"step": 0.05, "placeholder": "any"}),
                help_text=f"0 to {kind.most}" if kind.most else "0 and more",
            )
        flags = self.fields["vetoing_flags"]
        flags.choices = list(flags_of(self.chosen).items())  # type: ignore[attr-defined]

    @staticmethod
    def _with_grade(data: QueryDict) -> QueryDict:
        """Returns the grade's default while its field is not on the page yet."""
        filled = data.copy()
        filled.setdefault("vetoing_grade", Grade.MINOR)
        return filled

    def _chosen_ids(self) -> set[UUID]:
        if not self.is_bound:
            return set()
        ids = set()
        for text in cast("QueryDict", self.data).getlist("studies"):
            try:
                ids.add(UUID(text))
            except ValueError:
                continue  # the field itself reports it
        return ids

    @property
    def score_fields(self) -> list[forms.BoundField]:
        return [self[SCORE_PREFIX + slug] for slug in self.criteria]

    @property
    def measure_fields(self) -> list[forms.BoundField]:
        return [self[MEASURE_PREFIX + kind.name] for kind in self.measures]

    @property
    def min_measures(self) -> dict[str, float]:
        names = [kind.name for kind in self.measures]
        given = {name: self.cleaned_data.get(MEASURE_PREFIX + name) for name in names}
        return {name: least for name, least in sorted(given.items()) if least is not None}

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if Policy.objects.filter(name=name).exists():
            raise forms.ValidationError("There is a policy of this name: give another one.")
        return name

    @property
    def min_mean_scores(self) -> dict[str, float]:
        given = {slug: self.cleaned_data.get(SCORE_PREFIX + slug) for slug in self.criteria}
        return {slug: least for slug, least in given.items() if least is not None}

    def rules(self) -> Rules | None:
        """Returns the rules as they are filled in, or None where something but the name is
        missing.
        """
        if not self.is_bound or set(self.errors) - {"name"}:
            return None
        data = self.cleaned_data
        return Rules(
            studies=tuple(sorted(str(study.pk) for study in self.chosen)),
            min_readers=data["min_readers"],
            min_mean_scores=self.min_mean_scores,
            min_measures=self.min_measures,
            vetoing_flags=tuple(sorted(data["vetoing_flags"])),
            vetoing_grade=data["vetoing_grade"],
            refuses_copies=data["refuses_copies"],
            uses_simulated_readers=data["readers"] == SIMULATED,
            prefers_final=data["prefers_final"],
        )

    def request(self) -> PolicyRequest:
        data = self.cleaned_data
        return read(
            PolicyRequest,
            {
                "name": data["name"],
                "studies": [study.name for study in self.chosen],
                "min_mean_scores": self.min_mean_scores,
                "min_measures": self.min_measures,
                "min_readers": data["min_readers"],
                "vetoing_flags": data["vetoing_flags"],
                "vetoing_grade": data["vetoing_grade"],
                "refuses_copies": data["refuses_copies"],
                "uses_simulated_readers": data["readers"] == SIMULATED,
                "prefers_final": data["prefers_final"],
            },
        )

"""What a coordinator fills in on the learning pages."""

from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse

from feedback_app.finetuning.methods import COMMON_SETTINGS, FACTS, SETTINGS, settings_of
from feedback_app.finetuning.models import Method, Schedule, Snapshot
from feedback_app.finetuning.requests import FineTuneRequest
from feedback_app.finetuning.services.masked import count_masked, default_parts
from feedback_app.finetuning.services.recommendation import recommend, supply_of
from feedback_app.finetuning.services.schedules import ScheduleDesign, design_of
from feedback_app.finetuning.wording import LABELS, in_words
from feedback_app.images.models import Cohort, ModelVersion, Split
from feedback_app.requests import form_field_of, read
from feedback_app.studies.models import Study, StudyState
from generation.specs import PARTS, FineTuneSpec, Part

SWITCHES = ("safeguarded", "whole_cases", "recompute")
PEOPLE, SIMULATED = "people", "simulated"

ADAPTED = [("unet",), PARTS, ("controlnet",)]


class SnapshotForm(forms.Form):
    name = forms.CharField(max_length=100)
    whose = forms.ChoiceField(
        label="Readings of",
        choices=[(PEOPLE, "People"), (SIMULATED, "Simulated readers")],
        initial=PEOPLE,
        help_text="Never both: what simulated readers taught is marked as such for good.",
    )
    studies = forms.ModelMultipleChoiceField(
        Study.objects.own().exclude(state=StudyState.DRAFT),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Choose none to take all.",
    )
    prefers_final = forms.BooleanField(
        label="Adjudicated cases teach by their final readings alone", required=False
    )

    @property
    def is_simulated(self) -> bool:
        return bool(self.cleaned_data["whose"] == SIMULATED)


class FineTuneForm(forms.Form):
    """Has the fields of one method only: of the one chosen, else of the recommended one.

    A setting that is left empty has its default.
    """

    snapshot = forms.ModelChoiceField(Snapshot.objects.all(), empty_label=None)
    parent = forms.ModelChoiceField(
        ModelVersion.objects.order_by("-is_promoted", "-pk"), label="Start from", empty_label=None
    )
    method = forms.ChoiceField(choices=Method.choices, widget=forms.RadioSelect)
    real_cohort = forms.ModelChoiceField(
        Cohort.objects.filter(images__patient__split=Split.TRAIN).distinct(),
        label="Practise on real images of",
        required=False,
        empty_label="none",
        help_text="Up to 256 of its training split keep the model close to real ones.",
    )
    steps = form_field_of(FineTuneSpec, "steps")
    batch_size = form_field_of(FineTuneSpec, "batch_size", help_text="Of one step.")
    accumulate = form_field_of(FineTuneSpec, "accumulate", help_text="More parts need less memory.")
    learning_rate = form_field_of(FineTuneSpec, "learning_rate")
    beta = form_field_of(
        FineTuneSpec, "beta", help_text="Higher keeps the model closer to its parent."
    )
    rank = form_field_of(FineTuneSpec, "rank", help_text="Size of the adapter.")
    denoising_weight = form_field_of(
        FineTuneSpec, "denoising_weight", help_text="Practice on winners and real images."
    )
    region_weight = form_field_of(
        FineTuneSpec,
        "region_weight",
        help_text="0 to 1: how much of a loser's error is that of where artefacts were marked.",
    )
    safeguarded = form_field_of(FineTuneSpec, "safeguarded")
    whole_cases = form_field_of(FineTuneSpec, "whole_cases")
    recompute = form_field_of(FineTuneSpec, "recompute")
    accepted_from = form_field_of(
        FineTuneSpec, "accepted_from", help_text="For images that were scored only."
    )
    temperature = form_field_of(
        FineTuneSpec, "temperature", help_text="In points; lower imitates the best alone."
    )
    anchor_weight = form_field_of(
        FineTuneSpec, "anchor_weight", help_text="Higher keeps the model closer to its parent."
    )
    ema_decay = form_field_of(FineTuneSpec, "ema_decay", help_text="Below 1; 0 averages nothing.")
    precision = form_field_of(
        FineTuneSpec, "precision", labels={"bfloat16": "bfloat16, where it is faster"}
    )
    adapted = forms.ChoiceField(
        choices=[(" ".join(parts), in_words(parts)) for parts in ADAPTED],
        help_text="What follows masks is its ControlNet.",
    )
    seed = form_field_of(FineTuneSpec, "seed")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.chosen_snapshot = self._chosen("snapshot")
        self.chosen_parent = self._chosen("parent")
        self.recommendation = (
            recommend(supply_of(self.chosen_snapshot)) if self.chosen_snapshot else None
        )
        for name in ("snapshot", "parent"):
            self.fields[name].widget.attrs["hx-get"] = reverse("finetuning:finetune_new")
        chosen = self.data.get("method") or self.initial.get("method")
        if chosen not in Method.values:
            chosen = self.initial["method"] = self._recommended_method()
        for name in set(SETTINGS) - set(settings_of(chosen)):
            del self.fields[name]
        if not FACTS[Method(chosen)].learns_from_real:
            del self.fields["real_cohort"]
        for name in settings_of(chosen):
            field = self.fields[name]
            field.required = False
            field.label = LABELS.get(name)
        self.fields["adapted"].initial = " ".join(self._default_parts())

    def _chosen(self, name: str) -> Any:
        """Returns the row that is chosen, else the first of the list."""
        field = cast("forms.ModelChoiceField", self.fields[name])
        chosen = self.data.get(name) or self.initial.get(name)
        try:
            row = field.clean(chosen) if chosen else None
        except ValidationError:  # the field will say so
            row = None
        return row or (field.queryset.first() if field.queryset is not None else None)

    def _default_parts(self) -> tuple[Part, ...]:
        if self.chosen_snapshot is None or self.chosen_parent is None:
            return ("unet",)
        return default_parts(self.chosen_snapshot, self.chosen_parent)

    @property
    def masks_note(self) -> str:
        """What becomes of readings of images that follow masks; empty where there are none."""
        snapshot, parent = self.chosen_snapshot, self.chosen_parent
        masked = count_masked(snapshot) if snapshot and parent else 0
        if not masked:
            return ""
        of = f"{masked:,} pairs and ratings of the snapshot are of images that follow masks"
        if parent.follows_masks:
            return f"{of}. So the ControlNet learns too, unless the settings say otherwise."
        return f"{of}. They are left out, since {parent} does not follow any."

    def _recommended_method(self) -> str:
        if self.recommendation and self.recommendation.trains:
            return self.recommendation.method
        return Method.DPO_MARGIN.value

    def request(self) -> FineTuneRequest:
        data = self.cleaned_data
        cohort = data.get("real_cohort")
        return read(
            FineTuneRequest,
            {
                "snapshot": str(data["snapshot"].pk),
                "parent": data["parent"].name,
                "method": data["method"],
                "real_cohort": cohort.name if cohort else "",
                "settings": self.settings,
            },
        )

    @property
    def settings(self) -> dict[str, Any]:
        """What was filled in."""
        given = {name: self.cleaned_data.get(name) for name in SETTINGS}
        filled = {name: value for name, value in given.items() if value not in {None, ""}}
        if "adapted" in filled:
            filled["adapted"] = filled["adapted"].split()
        return filled

    @property
    def settings_fields(self) -> list[forms.BoundField]:
        """Returns those of the method, its own first."""
        named = [name for name in SETTINGS if name in self.fields and name not in SWITCHES]
        own = set(SETTINGS) - set(COMMON_SETTINGS)
        return [self[name] for name in sorted(named, key=lambda name: name not in own)]

    @property
    def switches(self) -> list[forms.BoundField]:
        return [self[name] for name in SWITCHES if name in self.fields]

    @property
    def methods(self) -> list[tuple[forms.boundfield.BoundWidget, str, bool]]:
        """Each method's radio button, a sentence on it, and whether it is recommended."""
        best = self.recommendation.method if self.recommendation else ""
        return [
            (radio, FACTS[Method(radio.data["value"])].sentence, radio.data["value"] == best)
            for radio in self["method"]
        ]


class ScheduleForm(forms.ModelForm):
    at = forms.TimeField(
        label="Every day at", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    is_enabled = forms.BooleanField(label="Runs", required=False, initial=True)

    class Meta:
        model = Schedule
        fields = [
            "name",
            "min_new_pairs",
            "method",
            "uses_simulated_readers",
            "promotes_by_itself",
        ]
        labels = {
            "min_new_pairs": "New pairs or ratings, at least",
            "uses_simulated_readers": "Learns from simulated readers instead of people",
            "promotes_by_itself": "Promotes the new version by itself where its gate says promote",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial.update(design_of(self.instance))
        self.fields["min_new_pairs"].widget.attrs["min"] = 1

    @property
    def design(self) -> ScheduleDesign:
        return ScheduleDesign(**self.cleaned_data)

"""What a coordinator fills in about an experiment, and the design that it gives."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django import forms
from django.db.models import Count, Q

from feedback_app.curation.models import CuratedSet
from feedback_app.experiments.labels import (
    ARM_LABELS,
    ARM_SENTENCES,
    OWN_SETTING_LABELS,
    setting_label,
)
from feedback_app.experiments.models import Task
from feedback_app.experiments.services.design import (
    OWN_SETTINGS,
    SETTINGS,
    SOURCE_ARMS,
    Design,
    default_of,
    read_design,
    settings_of,
)
from feedback_app.experiments.services.manifests import real_rows
from feedback_app.experiments.services.subsets import Subsets
from feedback_app.experiments.statistics.metrics import metrics_of
from feedback_app.exports.models import Export
from feedback_app.images.models import Batch, Cohort, Mask
from feedback_app.remedies import in_one_line
from feedback_app.requests import field_of, form_field_of
from generation.conditioning.findings import FINDINGS
from generation.conditioning.masks import label_of
from generation.errors import RemediableError
from generation.specs import ARMS, OWN_GENERATOR, CellSpec, OwnGeneratorSpec

ALL = "all"
SEEDS = field_of(Design, "seeds").bounds
SOURCE_PREFIX, SETTING_PREFIX, OWN_PREFIX = "source_", "set_", "own_"


def source_choices(arm: str) -> list[tuple[str, str]]:
    """Returns batches for images as generated; for the others curated sets and their exports."""
    if arm == "unfiltered":
        batches = Batch.objects.annotate(
            made=Count("recipes", filter=Q(recipes__candidate__isnull=False))
        )
        found = [(f"batch:{one.pk}", f"{one.name} ({one.made} images)") for one in batches]
    else:
        sets = CuratedSet.objects.select_related("policy").annotate(count=Count("items"))
        exports = Export.objects.filter(blob__isnull=False, curated_set__isnull=False)
        found = [
            (f"curated_set:{one.pk}", f"{one.policy.name} {one.sha256[:8]} ({one.count} images)")
            for one in sets
        ]
        found += [
            (
                f"export:{one.pk}",
                f"Export of {one.source_name}, {one.created_at:%-d %b %Y, %H:%M}",
            )
            for one in exports.select_related("curated_set__policy")
        ]
    return [("", "choose"), *found]


class ExperimentForm(forms.Form):
    """Lists of numbers are written with commas; *all* stands for all usable real images."""

    name = form_field_of(Design, "name", widget=forms.TextInput(attrs={"autocomplete": "off"}))
    task = forms.ChoiceField(choices=Task.choices, widget=forms.RadioSelect)
    cohort = forms.ModelChoiceField(
        Cohort.objects.all(),
        empty_label=None,
        to_field_name="name",
        help_text="Trained on its training split, measured on its test split.",
    )
    findings = forms.MultipleChoiceField(
        choices=[(name, name) for name in FINDINGS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        initial=["pneumonia"],
        help_text="One: there or not. Several: each of them.",
    )
    mask_kind = forms.ChoiceField(label="Kind of mask", required=False)
    real_sizes = forms.CharField(
        label="Real training images", initial="32, 64, 128, all", help_text="Nested by seed."
    )
    arms = forms.MultipleChoiceField(
        choices=[(arm, ARM_LABELS[arm]) for arm in ARMS], widget=forms.CheckboxSelectMultiple
    )
    ratios = forms.CharField(
        label="Ratios", initial="0.5, 1, 2", help_text="Synthetic images a real one."
    )
    seed_count = forms.IntegerField(
        label="Seeds",
        min_value=SEEDS["min_length"],
        max_value=SEEDS["max_length"],
        initial=10,
        help_text="10 or more tell most.",
    )
    metric = forms.ChoiceField(
        label="Figure",
        choices=[
            (label, [(one.name, one.label) for one in metrics_of(task)])
            for task, label in Task.choices
        ],
    )
    primary_arm = forms.ChoiceField(
        label="Arm", choices=[(arm, ARM_LABELS[arm]) for arm in ARMS if arm != "real"]
    )
    primary_size = forms.CharField(label="Real images", initial="64")
    primary_ratio = forms.FloatField(
        label="Ratio", initial=1, widget=forms.NumberInput(attrs={"step": "any"})
    )
    wanted_gain = forms.FloatField(
        label="Gain worth finding",
        initial=0.05,
        min_value=0.0,
        required=False,
        widget=forms.NumberInput(attrs={"step": "any"}),
        help_text="Only to plan: beside it stands what it takes to find it.",
    )
    vouching = forms.CharField(
        label="Models whose training is not recorded here",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=(
            "How you know that they saw nobody of the test split. Only asked for where one of "
            "them stands behind the images; the report says so."
        ),
    )

    def __init__(self, *args: Any, drafted: Design | None = None, **kwargs: Any) -> None:
        """``drafted`` is the design of a draft that is changed."""
        super().__init__(*args, **kwargs)
        self.drafted = drafted
        kinds = Mask.objects.drawn_by_people().order_by("kind").values_list("kind", flat=True)
        self.fields["mask_kind"].choices = [  # type: ignore[attr-defined]
            (kind, label_of(kind)) for kind in dict.fromkeys(kinds)
        ]
        for arm in SOURCE_ARMS:
            self.fields[SOURCE_PREFIX + arm] = forms.ChoiceField(
                label=ARM_LABELS[arm], required=False, choices=source_choices(arm)
            )
        for name in SETTINGS:
            self.fields[SETTING_PREFIX + name] = _setting_field(name)
        for name in OWN_SETTINGS:
            self.fields[OWN_PREFIX + name] = form_field_of(
                OwnGeneratorSpec, name, label=OWN_SETTING_LABELS[name], required=False
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                self.design = read_design(self._as_design(cleaned))
            except RemediableError as error:
                raise forms.ValidationError(in_one_line(error)) from error
        return cleaned

    def _as_design(self, data: dict[str, Any]) -> dict[str, Any]:
        is_segmentation = data["task"] == Task.SEGMENTATION
        subject = {
            "findings": [] if is_segmentation else data["findings"],
            "mask_kind": data["mask_kind"] if is_segmentation else "",
        }
        sizes = _Sizes(data["cohort"], **subject)
        return {
            "name": data["name"],
            "task": data["task"],
            "cohort": data["cohort"].name,
            **subject,
            "real_sizes": [sizes.of(text) for text in _split(data["real_sizes"])],
            "arms": data["arms"],
            "ratios": [_number(text) for text in _split(data["ratios"])],
            "seeds": self._seeds(data["seed_count"]),
            "metric": data["metric"],
            "primary": {
                "arm": data["primary_arm"],
                "real_size": sizes.of(data["primary_size"].strip()),
                "ratio": data["primary_ratio"],
            },
            "training": {
                name: value
                for name in settings_of(data["task"])
                if (value := data[SETTING_PREFIX + name]) not in (None, "", [])
            },
            "own_generator": {
                name: value
                for name in (OWN_SETTINGS if OWN_GENERATOR in data["arms"] else ())
                if (value := data[OWN_PREFIX + name]) is not None
            },
            "sources": [
                {"arm": arm, "kind": chosen.partition(":")[0], "id": chosen.partition(":")[2]}
                for arm in SOURCE_ARMS
                if arm in data["arms"] and (chosen := data[SOURCE_PREFIX + arm])
            ],
            "vouching": data["vouching"].strip(),
        }

    def _seeds(self, count: int) -> list[int]:
        """From 0; those of a draft stay where they are as many."""
        if self.drafted is not None and len(self.drafted.seeds) == count:
            return list(self.drafted.seeds)
        return list(range(count))

    @property
    def arm_choices(self) -> Iterable[tuple[Any, str, "forms.BoundField | None"]]:
        """Yields each arm's box, a sentence on it, and the field of its source."""
        for box in self["arms"]:
            arm = box.data["value"]
            source = self[SOURCE_PREFIX + arm] if arm in SOURCE_ARMS else None
            yield box, ARM_SENTENCES[arm], source

    @property
    def settings_fields(self) -> list[forms.BoundField]:
        return [self[SETTING_PREFIX + name] for name in SETTINGS]

    @property
    def own_fields(self) -> list[forms.BoundField]:
        return [self[OWN_PREFIX + name] for name in OWN_SETTINGS]


def filled_in(design: Design) -> dict[str, Any]:
    """Returns what the form of a design has in its fields."""
    initial: dict[str, Any] = {
        "name": design.name,
        "task": design.task,
        "cohort": design.cohort,
        "findings": list(design.findings),
        "mask_kind": design.mask_kind,
        "real_sizes": _listed(design.real_sizes),
        "arms": list(design.arms),
        "ratios": _listed(design.ratios),
        "seed_count": len(design.seeds),
        "metric": design.metric,
        "primary_arm": design.primary.arm,
        "primary_size": str(design.primary.real_size),
        "primary_ratio": design.primary.ratio,
        "vouching": design.vouching,
    }
    for source in design.sources:
        initial[SOURCE_PREFIX + source.arm] = f"{source.kind}:{source.id}"
    for name, value in design.training.items():
        initial[SETTING_PREFIX + name] = _listed(value) if name == "widths" else value
    for name, value in design.own_generator.items():
        initial[OWN_PREFIX + name] = value
    return initial


class _Sizes:
    """Numbers of real images, with *all* as what the cohort has."""

    def __init__(self, cohort: Cohort, *, findings: list[str], mask_kind: str) -> None:
        self.cohort = cohort
        self.findings = findings
        self.mask_kind = mask_kind

    def of(self, text: str) -> int:
        return self._usable if text.lower() == ALL else int(_number(text))

    @cached_property
    def _usable(self) -> int:
        return len(Subsets(real_rows(self.cohort), self.findings, self.mask_kind).usable)


def _setting_field(name: str) -> forms.Field:
    """One that is left empty has its default."""
    if name == "widths":
        return _Widths(label=setting_label(name), required=False, initial=_listed(default_of(name)))
    field: forms.Field = form_field_of(CellSpec, name, label=setting_label(name), required=False)
    return field


class _Widths(forms.CharField):
    def clean(self, value: Any) -> Any:
        return [int(_number(text)) for text in _split(super().clean(value))]


def _listed(numbers: Iterable[float]) -> str:
    return ", ".join(str(number).removesuffix(".0") for number in numbers)


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise forms.ValidationError(f"“{text}” is not a number.") from error

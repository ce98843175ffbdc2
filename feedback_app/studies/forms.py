"""Designing a study, and changing one that is open."""

from typing import Any

from django import forms
from django.db.models import Count, QuerySet

from feedback_app.accounts.models import Role, User
from feedback_app.images.models import Batch, Cohort, Scorer, ScorerKind
from feedback_app.studies.models import (
    EXPLORATION_PERCENT,
    IMAGES_PER_CASE,
    Allocation,
    CaseOrder,
    Study,
)
from feedback_app.studies.modes import DEFAULT_MODE, MODES, Mode, mode_choices, mode_of
from feedback_app.studies.scales import DEFAULT_FLAGS, MASK_FLAG, STANDARD_SCALES, Scale
from feedback_app.studies.services import Design
from feedback_app.studies.services.design import SEED_LIMIT

DEFAULT_FLAG_SETS = tuple(
    mode.default_flags(has_phases=has_phases)
    for mode in MODES.values()
    for has_phases in (False, True)
)


class BatchChoice(forms.ModelMultipleChoiceField):
    def label_from_instance(self, batch: Batch) -> str:
        return batch_label(batch)


class OneBatchChoice(forms.ModelChoiceField):
    def label_from_instance(self, batch: Batch) -> str:
        return batch_label(batch)


class RewardModelChoice(forms.ModelChoiceField):
    def label_from_instance(self, reward_model: Scorer) -> str:
        return f"{reward_model} · {reward_model.headline}"


class ReaderChoice(forms.ModelMultipleChoiceField):
    def label_from_instance(self, reader: User) -> str:
        return reader.display_name


class Number(forms.IntegerField):
    """A whole number; left empty, or not asked for in a mode, it is the default."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)

    def clean(self, value: Any) -> int:
        given: int | None = super().clean(value)
        return self.initial if given is None else given


def batch_label(batch: Batch) -> str:
    return (
        f"{batch.name} · {batch.model_version} · "
        f"{batch.made} of {batch.asked} images of {batch.prompts} prompts"  # type: ignore[attr-defined]
    )


def batches_with_counts() -> QuerySet[Batch]:
    return Batch.objects.select_related("model_version").annotate(
        asked=Count("batchrecipe", distinct=True),
        made=Count("batchrecipe__recipe__candidate", distinct=True),
        prompts=Count("batchrecipe__prompt_index", distinct=True),
    )


def reward_models() -> QuerySet[Scorer]:
    """The newest first."""
    return Scorer.objects.filter(kind=ScorerKind.REWARD_MODEL).order_by("-created_at")


def people() -> QuerySet[User]:
    """Who may be chosen: readers that are people; a coordinator knows too much to be blind."""
    return User.objects.filter(role=Role.READER, is_active=True, is_simulated=False).order_by(
        "last_name", "username"
    )


class StudyForm(forms.Form):
    name = forms.CharField(
        max_length=100,
        help_text="Readers see it, so let it tell nothing about models or expectations.",
    )
    mode = forms.ChoiceField(
        choices=mode_choices,
        initial=DEFAULT_MODE,
        label="What a case shows",
        widget=forms.RadioSelect,
    )
    images_per_case = Number(
        min_value=IMAGES_PER_CASE[0], max_value=IMAGES_PER_CASE[1], initial=4, label="Images a case"
    )
    batches = BatchChoice(
        queryset=Batch.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Candidates of",
    )
    against = OneBatchChoice(
        queryset=Batch.objects.none(),
        required=False,
        empty_label="one another: pairs of one prompt",
        help_text="A second batch, of a fine-tuned child say: paired by prompt and seed.",
    )
    real_cohort = forms.ModelChoiceField(
        queryset=Cohort.objects.all(),
        required=False,
        label="Real images of",
        empty_label="choose a cohort",
        help_text="No smaller than the candidates; from its test split, then validation.",
    )
    real_percent = Number(min_value=1, max_value=99, initial=50, label="Real, in per cent")
    real_from_training = forms.BooleanField(
        required=False,
        label="Training images too, if the others do not suffice",
        help_text="The model has learnt from them: what it makes may look like them.",
    )
    has_phases = forms.BooleanField(
        required=False,
        label="Two phases",
        help_text="First every image is scored by readers who are not told that some are "
        "synthetic; only then are they asked which.",
    )
    readers = ReaderChoice(
        queryset=User.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )
    allocation = forms.ChoiceField(
        choices=Allocation.choices,
        initial=Allocation.ASSIGNED,
        required=False,
        label="Who reads which case",
        widget=forms.RadioSelect,
    )
    readers_per_case = forms.IntegerField(
        min_value=1,
        max_value=20,
        initial=1,
        label="Readers a case",
        help_text="Two or more let agreement be estimated.",
    )
    anchor_count = Number(
        min_value=0, initial=0, label="Anchors", help_text="Cases that every reader reads."
    )
    repeat_percent = Number(
        min_value=0,
        max_value=100,
        initial=0,
        label="Hidden repeats, in per cent",
        help_text="Of each reader's cases: they tell how far readers agree with themselves.",
    )
    repeat_min_gap = Number(
        min_value=1, max_value=10_000, initial=10, label="Cases before a repeat, at least"
    )
    case_order = forms.ChoiceField(
        choices=CaseOrder.choices,
        initial=CaseOrder.RANDOM,
        required=False,
        label="Which case comes next",
        widget=forms.RadioSelect,
    )
    reward_model = RewardModelChoice(
        queryset=Scorer.objects.none(),
        required=False,
        empty_label="choose a reward model",
        help_text="Where its heads contradict each other, a reading teaches it most. A newer "
        "one takes its place by itself.",
    )
    exploration_percent = Number(
        min_value=EXPLORATION_PERCENT[0],
        max_value=EXPLORATION_PERCENT[1],
        initial=20,
        label="By lot all the same, in per cent",
        help_text="Of the cases: so that every case can come, and what is read can be "
        "weighted back.",
    )
    block_size = Number(
        min_value=0,
        max_value=1_000,
        initial=0,
        label="Block size",
        help_text="Each block is a like mixture of sources; 0 shuffles all at once.",
    )
    break_every_min = Number(
        min_value=0,
        max_value=240,
        initial=30,
        label="Remind of a break after, in minutes",
        help_text="0 never does.",
    )
    shuffle_seed = forms.IntegerField(
        min_value=0,
        max_value=SEED_LIMIT - 1,
        required=False,
        label="Seed",
        help_text="All that is drawn by lot follows from it; left empty it is drawn too.",
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
        help_text="One a line. Left as they are, they suit themselves to the mode, "
        "and to masks where there are some.",
    )

    def __init__(self, *args: Any, study: Study | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.study = study
        self.fields["batches"].queryset = batches_with_counts()  # type: ignore[attr-defined]
        self.fields["against"].queryset = batches_with_counts()  # type: ignore[attr-defined]
        self.fields["reward_model"].queryset = reward_models()  # type: ignore[attr-defined]
        self.fields["readers"].queryset = people()  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = Study.objects.exclude(pk=self.study.pk) if self.study else Study.objects
        if others.filter(name=name).exists():
            raise forms.ValidationError("Another study has this name.")
        return name

    def clean_allocation(self) -> str:
        return self.cleaned_data["allocation"] or Allocation.ASSIGNED

    def clean_case_order(self) -> str:
        return self.cleaned_data["case_order"] or CaseOrder.RANDOM

    def clean_flags(self) -> tuple[str, ...]:
        names = [line.strip() for line in self.cleaned_data["flags"].splitlines() if line.strip()]
        too_long = [name for name in names if len(name) > 64]
        if too_long:
            raise forms.ValidationError(f"Shorten to 64 characters: {too_long[0]}")
        return tuple(names)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if self.second_batch and self.second_batch in data.get("batches", []):
            self.add_error("against", "Choose another batch than the first one.")
        if self.is_active and data.get("reward_model") is None:
            self.add_error("reward_model", "Choose the reward model whose doubts lead.")
        return data

    @property
    def chosen_mode(self) -> Mode:
        """The mode that is chosen, or the usual one until one is."""
        return mode_of(self.cleaned_data.get("mode") or DEFAULT_MODE)

    @property
    def is_active(self) -> bool:
        """Whether a reward model shall choose: fields that are out of sight are left alone."""
        data = self.cleaned_data
        return (
            data.get("case_order") == CaseOrder.ACTIVE
            and data.get("allocation") == Allocation.POOL
            and not self.chosen_mode.objection_to_order
        )

    @property
    def second_batch(self) -> Batch | None:
        return self.cleaned_data.get("against") if self.chosen_mode.takes_second_batch else None

    def design(self, scales: tuple[Scale, ...] | None) -> Design:
        """What is valid so far; what the mode does not ask for keeps its default."""
        data, mode = self.cleaned_data, self.chosen_mode
        is_assigned = data.get("allocation") != Allocation.POOL
        given = _known(data, *COUNTS, *(field for field in mode.fields if field in OF_MODES))
        given |= _known(data, *REPEATS) if is_assigned else {"has_phases": False}
        if self.is_active:
            given |= {"case_order": CaseOrder.ACTIVE, **_known(data, *ACTIVE)}
        flags = data.get("flags", ())
        return Design(
            name=data.get("name", ""),
            mode=mode.slug,
            allocation=Allocation(data.get("allocation") or Allocation.ASSIGNED),
            readers=tuple(data.get("readers", ())),
            instructions=data.get("instructions", ""),
            scales=None if scales == STANDARD_SCALES[mode.kind] else scales,
            flags=None if _are_default(flags) else flags,
            shuffle_seed=data.get("shuffle_seed"),
            **given,
        )


COUNTS = ("readers_per_case", "anchor_count", "block_size", "break_every_min")
REPEATS = ("repeat_percent", "repeat_min_gap")
ACTIVE = ("reward_model", "exploration_percent")
OF_MODES = (
    "images_per_case",
    "real_cohort",
    "real_percent",
    "real_from_training",
    "has_phases",
)


def _known(data: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: data[name] for name in names if name in data}


def _are_default(flags: tuple[str, ...]) -> bool:
    return tuple(flag for flag in flags if flag != MASK_FLAG) in DEFAULT_FLAG_SETS


def study_initial(study: Study) -> dict[str, Any]:
    same = (
        *COUNTS,
        *REPEATS,
        *ACTIVE,
        *OF_MODES,
        "case_order",
        "shuffle_seed",
    )
    return {
        "name": study.name,
        "mode": study.mode,
        "allocation": study.allocation,
        "readers": study.readers.all(),
        "instructions": study.instructions,
        "flags": "\n".join(study.flag_kinds.values_list("name", flat=True)),
        **batches_of(study),
        **{name: getattr(study, name) for name in same},
    }


def batches_of(study: Study) -> dict[str, Any]:
    """``batches``, and in a comparison of two batches the one that is second, ``against``."""
    run = study.slots_run
    if run is not None and run.kind == "fill_study" and not study.cases.exists():
        against = Batch.objects.filter(pk=run.spec["against"]).first()
        return {"batches": Batch.objects.filter(pk__in=run.spec["batches"]), "against": against}
    batches = Batch.objects.filter(recipes__candidate__image__case__study=study).distinct()
    if not mode_of(study.mode).takes_second_batch:
        return {"batches": batches}
    path = "recipes__candidate__image__caseimage"
    first = Batch.objects.filter(**{f"{path}__case__study": study, f"{path}__position": 0})
    second = Batch.objects.filter(**{f"{path}__case__study": study, f"{path}__position": 1})
    only_second = second.exclude(pk__in=first.values("pk")).distinct()
    return {"batches": first.distinct(), "against": only_second.first()}


class ReadersForm(forms.Form):
    """Who joins an open study."""

    readers = ReaderChoice(queryset=User.objects.none(), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        joined = study.readers.values("pk")
        self.fields["readers"].queryset = people().exclude(pk__in=joined)  # type: ignore[attr-defined]


class RewardModelForm(forms.Form):
    """Whose doubts lead what is still free in an open pool."""

    reward_model = RewardModelChoice(queryset=Scorer.objects.none(), empty_label=None)

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["reward_model"]
        field.queryset = reward_models()  # type: ignore[attr-defined]
        field.initial = study.active_order.reward_model


class BatchesForm(forms.Form):
    """Further candidates for an open study."""

    batches = BatchChoice(queryset=Batch.objects.none(), widget=forms.CheckboxSelectMultiple)
    against = OneBatchChoice(
        queryset=Batch.objects.none(),
        required=False,
        empty_label="one another: pairs of one prompt",
    )

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["batches"].queryset = batches_with_counts()  # type: ignore[attr-defined]
        self.fields["against"].queryset = batches_with_counts()  # type: ignore[attr-defined]
        if not mode_of(study.mode).takes_second_batch:
            del self.fields["against"]

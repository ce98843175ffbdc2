"""Designing a study."""

from typing import Any
from uuid import UUID

from django import forms

from feedback_app.accounts.models import User
from feedback_app.images.models import Batch, Cohort, Scorer
from feedback_app.requests import form_field_of, read
from feedback_app.studies.choice_fields import (
    BatchChoice,
    OffersBatches,
    OneBatchChoice,
    ReaderChoice,
    RewardModelChoice,
)
from feedback_app.studies.choices import (
    as_uuid,
    batches_of,
    people,
    reward_models,
    source_choices,
)
from feedback_app.studies.models import Allocation, CaseOrder, Study
from feedback_app.studies.modes import DEFAULT_MODE, MODES, Mode, mode_choices, mode_of
from feedback_app.studies.requests import StudyRequest
from feedback_app.studies.scales import DEFAULT_FLAGS, MASK_FLAG, STANDARD_SCALES, Scale

DEFAULT_FLAG_SETS = tuple(
    flags
    for mode in MODES.values()
    for has_phases in (False, True)
    if (flags := mode.default_flags(has_phases=has_phases))
)
COUNTS = ("readers_per_case", "anchor_count", "block_size", "break_every_min", "shuffle_seed")
CALIBRATION = ("guideline", "training_pass_percent", "training_every", "gold_teaches")
REPEATS = ("repeat_percent", "repeat_min_gap")
ACTIVE = ("reward_model", "exploration_percent")
OF_MODES = (
    "images_per_case",
    "real_cohort",
    "real_percent",
    "real_from_training",
    "has_phases",
    "cohort_images",
    "draft_sources",
    "undrafted_percent",
    "shows_prior",
)


def number(name: str) -> Any:
    """Returns a whole number; left empty, it is the request's default."""
    return form_field_of(StudyRequest, name, required=False)


def said_of(name: str) -> dict[str, Any]:
    """Label and help of a request's field, for one that is chosen among rows."""
    info = StudyRequest.model_fields[name]
    label = info.title or name.replace("_", " ").capitalize()
    return {"label": label, "help_text": info.description or ""}


class StudyForm(OffersBatches):
    """The design form; fields of other modes and ways are out of sight and left alone."""

    name = form_field_of(StudyRequest, "name")
    mode = forms.ChoiceField(
        choices=mode_choices,
        initial=DEFAULT_MODE,
        widget=forms.RadioSelect,
        **said_of("mode"),
    )
    images_per_case = number("images_per_case")
    batches = BatchChoice(
        queryset=Batch.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        **said_of("batches"),
    )
    candidates = forms.CharField(required=False, widget=forms.HiddenInput)
    keeps_candidates = forms.BooleanField(
        required=False, initial=True, label="With the candidates picked by hand"
    )
    sample_size = number("sample_size")
    against = OneBatchChoice(
        queryset=Batch.objects.all(),
        required=False,
        empty_label="one another: pairs of one prompt",
        **said_of("against"),
    )
    real_cohort = forms.ModelChoiceField(
        queryset=Cohort.objects.all(),
        required=False,
        empty_label="choose a cohort",
        **said_of("real_cohort"),
    )
    real_percent = number("real_percent")
    real_from_training = form_field_of(StudyRequest, "real_from_training")
    has_phases = form_field_of(StudyRequest, "has_phases")
    cohort_images = number("cohort_images")
    draft_sources = forms.MultipleChoiceField(
        choices=source_choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        **said_of("draft_sources"),
    )
    undrafted_percent = number("undrafted_percent")
    shows_prior = form_field_of(StudyRequest, "shows_prior")
    reference_cohort = forms.ModelChoiceField(
        queryset=Cohort.objects.all(),
        required=False,
        empty_label="none",
        **said_of("reference_cohort"),
    )
    readers = ReaderChoice(
        queryset=User.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )
    allocation = forms.ChoiceField(
        choices=Allocation.choices,
        initial=Allocation.ASSIGNED,
        required=False,
        widget=forms.RadioSelect,
        **said_of("allocation"),
    )
    readers_per_case = form_field_of(StudyRequest, "readers_per_case")
    anchor_count = number("anchor_count")
    repeat_percent = number("repeat_percent")
    repeat_min_gap = number("repeat_min_gap")
    case_order = forms.ChoiceField(
        choices=CaseOrder.choices,
        initial=CaseOrder.RANDOM,
        required=False,
        widget=forms.RadioSelect,
        **said_of("case_order"),
    )
    reward_model = RewardModelChoice(
        queryset=Scorer.objects.none(),
        required=False,
        empty_label="choose a reward model",
        **said_of("reward_model"),
    )
    exploration_percent = number("exploration_percent")
    block_size = number("block_size")
    break_every_min = number("break_every_min")
    shuffle_seed = number("shuffle_seed")
    due_on = form_field_of(StudyRequest, "due_on")
    instructions = form_field_of(
        StudyRequest, "instructions", widget=forms.Textarea(attrs={"rows": 4})
    )
    guideline = form_field_of(StudyRequest, "guideline", widget=forms.Textarea(attrs={"rows": 10}))
    training_pass_percent = number("training_pass_percent")
    training_every = number("training_every")
    gold_teaches = form_field_of(StudyRequest, "gold_teaches")
    flags = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 12}),
        initial="\n".join(DEFAULT_FLAGS),
        **said_of("flags"),
    )

    def __init__(self, *args: Any, study: Study | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.study = study
        self.offer_batches()
        self.fields["reward_model"].queryset = reward_models()  # type: ignore[attr-defined]
        self.fields["readers"].queryset = people()  # type: ignore[attr-defined]

    def clean_flags(self) -> tuple[str, ...]:
        return tuple(
            line.strip() for line in self.cleaned_data["flags"].splitlines() if line.strip()
        )

    def clean_candidates(self) -> tuple[UUID, ...]:
        keys = map(as_uuid, self.cleaned_data["candidates"].split())
        return tuple(key for key in keys if key is not None)

    @property
    def picked_count(self) -> int:
        """How many candidates picked by hand the form knows of."""
        return len(str(self["candidates"].value() or "").split())

    @property
    def chosen_mode(self) -> Mode:
        """The mode that is chosen, or the usual one until one is."""
        return mode_of(self.cleaned_data.get("mode") or DEFAULT_MODE)

    @property
    def is_active(self) -> bool:
        """Whether a reward model shall choose what comes next."""
        data = self.cleaned_data
        return (
            data.get("case_order") == CaseOrder.ACTIVE
            and data.get("allocation") == Allocation.POOL
            and not self.chosen_mode.objection_to_order
        )

    def request(self, scales: tuple[Scale, ...] | None, *, name: str = "") -> StudyRequest:
        """Returns what is valid so far; what the mode does not ask for keeps its default.

        ``name`` stands in for a name that is not given yet.
        """
        data, mode = self.cleaned_data, self.chosen_mode
        is_pool = data.get("allocation") == Allocation.POOL
        names = {"name", "instructions", "batches", "readers", "flags", *COUNTS, *mode.fields}
        names |= {"sample_size", "due_on"} | (set() if mode.may_show_real else {"reference_cohort"})
        names |= {"candidates"} if data.get("keeps_candidates") else set()
        names |= set(CALIBRATION)
        names |= set() if is_pool else set(REPEATS)
        names -= {"has_phases"} if is_pool else set()
        names |= {"case_order", *ACTIVE} if self.is_active else set()
        values = {at: data[at] for at in names if data.get(at) not in (None, "")}
        if _are_default(values.get("flags", ())):
            values["flags"] = None
        if scales is not None and scales != STANDARD_SCALES[mode.kind]:
            values["criteria"] = [
                {"name": one.name, "question": one.question, "anchors": one.anchors}
                for one in scales
            ]
        return read(
            StudyRequest,
            {
                "name": name,
                "mode": mode.slug,
                "allocation": Allocation.POOL if is_pool else Allocation.ASSIGNED,
                **values,
                **_named(values),
            },
        )


def _named(values: dict[str, Any]) -> dict[str, Any]:
    """Returns what is chosen among rows, by the names that a request has for them."""
    named: dict[str, Any] = {
        "batches": [batch.pk for batch in values.get("batches", ())],
        "readers": [reader.username for reader in values.get("readers", ())],
    }
    if "against" in values:
        named["against"] = values["against"].pk
    for name in ("real_cohort", "reference_cohort", "reward_model"):
        if name in values:
            named[name] = values[name].name
    return named


def _are_default(flags: tuple[str, ...]) -> bool:
    return tuple(flag for flag in flags if flag != MASK_FLAG) in DEFAULT_FLAG_SETS


def study_initial(study: Study) -> dict[str, Any]:
    same = (
        *COUNTS,
        *CALIBRATION,
        *REPEATS,
        *ACTIVE,
        *OF_MODES,
        "case_order",
        "sample_size",
        "reference_cohort",
        "due_on",
    )
    return {
        "name": study.name,
        "mode": study.mode,
        "allocation": study.allocation,
        "readers": study.readers.all(),
        "instructions": study.instructions,
        "flags": "\n".join(study.flag_kinds.values_list("name", flat=True)),
        "candidates": " ".join(str(key) for key in study.picked),
        **batches_of(study),
        **{name: getattr(study, name) for name in same},
    }

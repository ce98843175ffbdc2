"""Writing down what a study asks, of whom, and how readings are planned."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils.text import slugify

from feedback_app.accounts import audit
from feedback_app.accounts.models import User
from feedback_app.images.models import Cohort, Scorer, ScorerKind
from feedback_app.requests import Problem, RequestError
from feedback_app.runs.models import Run
from feedback_app.studies.models import (
    EXPLORATION_PERCENT,
    Allocation,
    CaseOrder,
    Criterion,
    FlagKind,
    Study,
    StudyState,
    TrainingReference,
    training_criteria,
)
from feedback_app.studies.modes import DEFAULT_MODE, mode_of
from feedback_app.studies.requests import SEED_LIMIT, default_of
from feedback_app.studies.scales import SLUG_LENGTH, Scale
from generation.errors import RemediableError


@dataclass(frozen=True, kw_only=True)
class Design:
    """A request whose names have been looked up; ``Study`` says what the fields mean.

    ``scales`` and ``flags`` are the mode's defaults where they are None. The question
    *real or synthetic* is added by itself and not part of ``scales``.
    """

    name: str
    mode: str = DEFAULT_MODE
    instructions: str = ""
    guideline: str = ""
    training_pass_percent: int = default_of("training_pass_percent")
    training_every: int = default_of("training_every")
    gold_teaches: bool = default_of("gold_teaches")
    readers: tuple[User, ...] = ()
    scales: tuple[Scale, ...] | None = None
    flags: tuple[str, ...] | None = None
    allocation: Allocation = Allocation.ASSIGNED
    readers_per_case: int = default_of("readers_per_case")
    images_per_case: int = default_of("images_per_case")
    anchor_count: int = default_of("anchor_count")
    repeat_percent: int = default_of("repeat_percent")
    repeat_min_gap: int = default_of("repeat_min_gap")
    block_size: int = default_of("block_size")
    case_order: CaseOrder = CaseOrder.RANDOM
    reward_model: Scorer | None = None
    exploration_percent: int = default_of("exploration_percent")
    real_cohort: Cohort | None = None
    real_percent: int = default_of("real_percent")
    real_from_training: bool = default_of("real_from_training")
    cohort_images: int = default_of("cohort_images")
    draft_sources: tuple[str, ...] = ()
    undrafted_percent: int = default_of("undrafted_percent")
    has_phases: bool = default_of("has_phases")
    reference_cohort: Cohort | None = None
    shows_prior: bool = False
    break_every_min: int = default_of("break_every_min")
    shuffle_seed: int | None = None
    picked: tuple[UUID, ...] = ()
    sample_size: int | None = None
    due_on: date | None = None

    def criteria(self) -> tuple[Scale, ...]:
        """Returns what is written down: the given or default scales, and what the mode asks by
        itself.
        """
        return mode_of(self.mode).scales(self.scales, has_phases=self.has_phases)

    def flag_names(self) -> tuple[str, ...]:
        if self.flags is None:
            return mode_of(self.mode).default_flags(has_phases=self.has_phases)
        return self.flags


def create_study(
    *,
    name: str,
    mode: str = DEFAULT_MODE,
    readers: Collection[User] = (),
    readers_per_case: int = 1,
    instructions: str = "",
    scales: Sequence[Scale] | None = None,
    flags: Sequence[str] | None = None,
    shuffle_seed: int | None = None,
    created_by: User | None = None,
) -> Study:
    """Makes a draft of the simplest design: each case has ``readers_per_case`` readers."""
    design = Design(
        name=name,
        mode=mode,
        readers=tuple(readers),
        readers_per_case=readers_per_case,
        instructions=instructions,
        scales=None if scales is None else tuple(scales),
        flags=None if flags is None else tuple(flags),
        shuffle_seed=shuffle_seed,
    )
    return design_study(design, created_by=created_by)


@transaction.atomic
def design_study(design: Design, *, created_by: User | None = None) -> Study:
    """Makes a draft that has no cases yet."""
    study = Study(created_by=created_by)
    if design.shuffle_seed is None:
        study.shuffle_seed = secrets.randbelow(SEED_LIMIT)
    _write(study, design)
    audit.record(
        "study.created",
        actor=created_by,
        target=study.name,
        target_id=study.pk,
        details={"mode": mode_of(study.mode).label},
    )
    return study


@transaction.atomic
def redesign_study(study: Study, design: Design, *, actor: User | None = None) -> Study:
    """Rewrite a draft; its cases go, since they follow from the design."""
    study = lock(study)
    require_draft(study)
    study.slots_run = None  # a run that failed is of the former design
    was_asked, before = _asked_of_training(study), _fields_of(study)
    study.cases.all().delete()
    study.criteria.all().delete()
    study.flag_kinds.all().delete()
    _write(study, design)
    _keep_calibration(study, was_asked=was_asked)
    audit.record(
        "study.changed",
        actor=actor,
        target=study.name,
        target_id=study.pk,
        details=_changes(before, _fields_of(study)),
    )
    return study


AUDITED_LENGTH = 80


def _fields_of(study: Study) -> dict[str, str]:
    """Returns what a design says, in short texts, for the audit log."""
    left_out = {"id", "slots_run", "created_at", "created_by"}
    fields = {
        field.name: str(getattr(study, field.name))
        for field in study._meta.concrete_fields
        if field.name not in left_out
    }
    readers = study.readers.order_by("username")
    fields["readers"] = ", ".join(readers.values_list("username", flat=True))
    fields["criteria"] = ", ".join(study.criteria.values_list("name", flat=True))
    fields["flags"] = ", ".join(study.flag_kinds.values_list("name", flat=True))
    return fields


def _changes(before: dict[str, str], after: dict[str, str]) -> dict[str, list[str]]:
    """[before, after] of all that differs."""
    return {
        name: [before[name][:AUDITED_LENGTH], text[:AUDITED_LENGTH]]
        for name, text in after.items()
        if before[name] != text
    }


def lock(study: Study) -> Study:
    """Returns the study's row, held until the transaction ends; refused while a run writes its
    slots.
    """
    require_at_rest(study)  # first without waiting: the worker holds the row as long as it writes
    study = lock_for_run(study.pk)
    require_at_rest(study)
    return study


def lock_for_run(study_id: UUID) -> Study:
    """Locks it for the run that writes the slots; slots can still be inserted for readers."""
    return Study.objects.select_for_update(no_key=True).get(pk=study_id)


DONE_BY_RUNS = {"fill_study": "filled", "open_study": "opened"}


def require_at_rest(study: Study) -> None:
    run = Run.objects.unfinished().filter(studies=study).first()
    if run is not None:
        doing = DONE_BY_RUNS.get(run.kind, "given its new cases")
        raise RemediableError(
            f"The study “{study.name}” is being {doing}.",
            remedy="Wait until that is done, or cancel its run.",
        )


def require_draft(study: Study) -> None:
    if study.state != StudyState.DRAFT:
        raise RemediableError(
            f"The study “{study.name}” is {study.state}, so its design is fixed.",
            remedy="Design a new study.",
        )


def require_consistent(design: Design) -> None:
    """Raises one error that tells every contradiction at its field."""
    if found := contradictions(design):
        raise RequestError(
            [Problem((field,), sentence) for field, sentence in found],
            message=found[0][1],
            remedy="Change one of the two.",
        )


def contradictions(design: Design | Study) -> list[tuple[str, str]]:
    """(field, sentence) for each choice that cannot be had together with another one."""
    found = []
    is_pool = design.allocation == Allocation.POOL
    if is_pool and design.repeat_percent:
        found.append(
            ("repeat_percent", "Hidden repeats need cases assigned to readers, not a pool.")
        )
    if is_pool and design.has_phases:
        found.append(("has_phases", "Two phases need cases assigned to readers, not a pool."))
    if design.reference_cohort is not None and mode_of(design.mode).may_show_real:
        found.append(
            (
                "reference_cohort",
                "Where a case may show a real image, none is shown as real beside it.",
            )
        )
    found += _contradictions_of_order(design)
    found += mode_of(design.mode).contradictions(design)
    return found


def _contradictions_of_order(design: Design | Study) -> list[tuple[str, str]]:
    if design.case_order != CaseOrder.ACTIVE:
        return []
    found = []
    if design.allocation != Allocation.POOL:
        found.append(("case_order", "Only in an open pool can a reward model choose what is next."))
    if objection := mode_of(design.mode).objection_to_order:
        found.append(("case_order", objection))
    if design.reward_model is None:
        found.append(("reward_model", "Choose the reward model whose doubts lead."))
    elif design.reward_model.kind != ScorerKind.REWARD_MODEL:
        found.append(("reward_model", f"The scorer “{design.reward_model}” is no reward model."))
    least, most = EXPLORATION_PERCENT
    if not least <= design.exploration_percent <= most:
        found.append(("exploration_percent", f"Choose from {least} to {most} %."))
    return found


def _write(study: Study, design: Design) -> None:
    require_consistent(design)
    if Study.objects.exclude(pk=study.pk).filter(name=design.name).exists():
        taken = Problem(("name",), "Another study has this name.")
        raise RequestError([taken], remedy="Choose another one.")
    study.name = design.name
    study.mode = design.mode
    study.instructions = design.instructions
    study.guideline = design.guideline
    study.training_pass_percent = design.training_pass_percent
    study.training_every = design.training_every
    study.gold_teaches = design.gold_teaches
    study.allocation = design.allocation
    study.readers_per_case = design.readers_per_case
    study.images_per_case = design.images_per_case
    study.anchor_count = design.anchor_count
    study.repeat_percent = design.repeat_percent
    study.repeat_min_gap = design.repeat_min_gap
    study.block_size = design.block_size
    study.case_order = design.case_order
    study.reward_model = design.reward_model
    study.exploration_percent = design.exploration_percent
    study.real_cohort = design.real_cohort
    study.real_percent = design.real_percent
    study.real_from_training = design.real_from_training
    study.cohort_images = design.cohort_images
    study.draft_sources = list(design.draft_sources)
    study.undrafted_percent = design.undrafted_percent
    study.has_phases = design.has_phases
    study.reference_cohort = design.reference_cohort
    study.shows_prior = design.shows_prior
    study.break_every_min = design.break_every_min
    study.picked = list(design.picked)
    study.sample_size = design.sample_size
    study.due_on = design.due_on
    if design.shuffle_seed is not None:
        study.shuffle_seed = design.shuffle_seed
    study.save()
    _write_questions(study, scales=design.criteria(), flags=design.flag_names())
    study.readers.set(design.readers)


def _asked_of_training(study: Study) -> tuple[object, ...]:
    """Returns what a training case depends on."""
    return study.mode, study.has_phases, mode_of(study.mode).images_a_case(study.images_per_case)


def _keep_calibration(study: Study, *, was_asked: tuple[object, ...]) -> None:
    """Training cases and examples stay with a rewritten draft as far as they still fit it."""
    criteria = {criterion.slug: criterion for criterion in training_criteria(study)}
    if _asked_of_training(study) != was_asked:
        study.training_cases.all().delete()
    TrainingReference.objects.filter(case__study=study).exclude(criterion__in=criteria).delete()
    study.training_cases.filter(references__isnull=True).delete()
    study.training_count = study.training_cases.count()
    study.save(update_fields=["training_count"])
    flags = study.flag_kinds.values("slug")
    study.examples.exclude(flag="").exclude(flag__in=flags).delete()
    asked = study.criteria.values("slug")
    study.examples.filter(flag="").exclude(criterion__in=asked).delete()


def _write_questions(study: Study, *, scales: Sequence[Scale], flags: Sequence[str]) -> None:
    _refuse_twins([scale.slug for scale in scales], what="criteria")
    Criterion.objects.bulk_create(
        Criterion(
            study=study,
            position=position,
            kind=scale.kind,
            slug=scale.slug,
            name=scale.name,
            question=scale.question,
            anchors=list(scale.anchors),
        )
        for position, scale in enumerate(scales)
    )
    slugs = [slugify(name)[:SLUG_LENGTH] for name in flags]
    _refuse_twins(slugs, what="flags")
    FlagKind.objects.bulk_create(
        FlagKind(study=study, position=position, slug=slug, name=name)
        for position, (slug, name) in enumerate(zip(slugs, flags, strict=True))
    )


def _refuse_twins(slugs: Sequence[str], *, what: str) -> None:
    twins = sorted({slug for slug in slugs if slugs.count(slug) > 1 or not slug})
    if twins:
        raise RemediableError(
            f"Two {what} have the same short name, or none: {', '.join(twins) or '(empty)'}.",
            remedy="Give each its own name in letters and digits.",
        )

"""Requests for studies, applied: names are looked up, and what is asked for is done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction

from feedback_app.accounts.models import User
from feedback_app.images.models import Batch, Candidate, Cohort
from feedback_app.requests import Problem, RequestError
from feedback_app.runs.models import UNSUCCESSFUL
from feedback_app.studies.choices import people, reward_models
from feedback_app.studies.drafting import OWN_REPORT
from feedback_app.studies.models import DraftSet, Study
from feedback_app.studies.modes import mode_of
from feedback_app.studies.requests import (
    CriterionRequest,
    MoreBatchesRequest,
    StudyRequest,
)
from feedback_app.studies.scales import Scale
from feedback_app.studies.services.design import (
    Design,
    design_study,
    redesign_study,
    require_consistent,
)
from feedback_app.studies.services.preview import Preview, preview_design

Filled = TypeVar("Filled")
AS_GIVEN = (
    "name",
    "mode",
    "instructions",
    "guideline",
    "training_pass_percent",
    "training_every",
    "gold_teaches",
    "flags",
    "allocation",
    "readers_per_case",
    "images_per_case",
    "anchor_count",
    "repeat_percent",
    "repeat_min_gap",
    "block_size",
    "case_order",
    "exploration_percent",
    "real_percent",
    "real_from_training",
    "has_phases",
    "cohort_images",
    "undrafted_percent",
    "shows_prior",
    "break_every_min",
    "shuffle_seed",
    "sample_size",
    "due_on",
)
"""The fields of a request that need no looking up."""


@dataclass(frozen=True)
class Wanted:
    """A request with the rows that it names."""

    design: Design
    batches: tuple[Batch, ...]
    against: Batch | None


@transaction.atomic
def ask_for_study(
    request: StudyRequest,
    *,
    fill: Callable[..., Filled],
    actor: User | None,
    draft: Study | None = None,
) -> tuple[Study, Filled]:
    """Returns a new draft, or this one rewritten, filled with the cases of its batches."""
    wanted = look_up(request)
    if draft is None:
        study = design_study(wanted.design, created_by=actor)
    else:
        study = redesign_study(draft, wanted.design, actor=actor)
    return study, fill(study, wanted.batches, against=wanted.against)


def preview_request(request: StudyRequest) -> Preview:
    """Returns what a request would give; nothing is saved."""
    wanted = look_up(request)
    require_consistent(wanted.design)
    return preview_design(wanted.design, wanted.batches, against=wanted.against)


def look_up(request: StudyRequest) -> Wanted:
    against = second_batch(request, mode=request.mode)
    cohorts = Cohort.objects.in_bulk(
        [*_named(request.real_cohort), *_named(request.reference_cohort)], field_name="name"
    )
    models = reward_models().filter(name__in=_named(request.reward_model))
    design = Design(
        readers=tuple(find_readers(request.readers)),
        picked=tuple(find_candidates(request.candidates)),
        scales=None if request.criteria is None else tuple(map(_scale, request.criteria)),
        draft_sources=tuple(find_sources(request.draft_sources)),
        real_cohort=_one(
            "real_cohort", request.real_cohort, cohorts.get(request.real_cohort or ""), "cohort"
        ),
        reference_cohort=_one(
            "reference_cohort",
            request.reference_cohort,
            cohorts.get(request.reference_cohort or ""),
            "cohort",
        ),
        reward_model=_one("reward_model", request.reward_model, models.first(), "reward model"),
        **{name: getattr(request, name) for name in AS_GIVEN},
    )
    return Wanted(design, tuple(find_batches(request.batches)), against)


def find_more_batches(request: MoreBatchesRequest, study: Study) -> dict[str, Any]:
    """Returns the arguments by which a study is given further candidates."""
    against = second_batch(request, mode=study.mode)
    return {"batches": find_batches(request.batches), "against": against}


def second_batch(request: StudyRequest | MoreBatchesRequest, *, mode: str) -> Batch | None:
    if request.against is None:
        return None
    if not mode_of(mode).takes_second_batch:
        raise _refusal("against", "Only a comparison has two batches.", "Leave it out.")
    if request.against in request.batches:
        raise _refusal("against", "Choose another batch than the first one.", "Or leave it out.")
    (batch,) = find_batches([request.against], field="against")
    return batch


def find_batches(keys: Sequence[UUID], *, field: str = "batches") -> list[Batch]:
    """Returns the batches in the order in which they are named."""
    known = Batch.objects.in_bulk(keys)
    _refuse_unknown(field, [key for key in keys if key not in known], "batch")
    return [known[key] for key in keys]


def find_candidates(keys: Sequence[UUID]) -> list[UUID]:
    """Returns the candidates as they are named, each once."""
    known = set(Candidate.objects.filter(pk__in=keys).values_list("pk", flat=True))
    _refuse_unknown("candidates", [key for key in keys if key not in known], "candidate")
    return list(dict.fromkeys(keys))


def find_sources(names: Sequence[str]) -> list[str]:
    """Returns the sources of reports as they are named, each once; what failed to be written is
    none.
    """
    sets = DraftSet.objects.filter(name__in=names).exclude(run__state__in=UNSUCCESSFUL)
    known = {OWN_REPORT, *sets.values_list("name", flat=True)}
    unknown = [name for name in names if name not in known]
    _refuse_unknown("draft_sources", unknown, "source of reports")
    return list(dict.fromkeys(names))


def find_readers(request_readers: Sequence[str]) -> list[User]:
    known = people().in_bulk(request_readers, field_name="username")
    unknown = [name for name in request_readers if name not in known]
    _refuse_unknown("readers", unknown, "reader")
    return [known[name] for name in request_readers]


def _named(name: str | None) -> list[str]:
    return [] if name is None else [name]


def _one(field: str, name: str | None, row: Any, what: str) -> Any:
    if name is not None and row is None:
        _refuse_unknown(field, [name], what)
    return row


def _refuse_unknown(field: str, unknown: Sequence[object], what: str) -> None:
    if unknown:
        raise RequestError(
            [Problem((field,), f"There is no {what} “{name}” to choose.") for name in unknown],
            remedy="Choose among those that the page of a new study offers.",
        )


def _refusal(field: str, said: str, remedy: str) -> RequestError:
    return RequestError([Problem((field,), said)], remedy=remedy)


def _scale(criterion: CriterionRequest) -> Scale:
    return Scale(name=criterion.name, question=criterion.question, anchors=criterion.anchors)

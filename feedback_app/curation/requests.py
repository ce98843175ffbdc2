"""The request for a policy, and what applies it: for page and command alike."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, field_validator

from feedback_app.accounts.models import User
from feedback_app.curation.models import CuratedSet, Policy
from feedback_app.curation.services import apply_policy, create_policy, require_free_name
from feedback_app.images.measures import BETTER
from feedback_app.requests import Request, at
from feedback_app.studies.models import SCORE_MAX, Study, StudyState
from generation.errors import RemediableError

Slug = Annotated[str, Field(max_length=64)]


class PolicyRequest(Request):
    """Studies by name, and what a candidate must have of their readings and of measures."""

    name: str = Field(min_length=1, max_length=100)
    studies: tuple[Annotated[str, Field(max_length=100)], ...] = Field(min_length=1)
    min_readers: int = Field(default=1, ge=1, le=100, title="Readers of an image, at least")
    min_mean_scores: dict[Slug, Annotated[float, Field(ge=0, le=SCORE_MAX)]] = Field(
        default_factory=dict
    )
    min_measures: dict[Slug, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    vetoing_flags: tuple[Slug, ...] = Field(default=(), title="Flags that keep an image out")
    vetoing_grade: Literal["minor", "major"] = Field(default="minor", title="From which grade on")
    refuses_copies: bool = Field(
        default=True, title="Refuse images that are too close to a training image"
    )
    uses_simulated_readers: bool = Field(
        default=False, description="Readings of simulated readers instead of people's"
    )
    prefers_final: bool = Field(
        default=False, title="Adjudicated cases count by their final readings alone"
    )

    @field_validator("min_measures")
    @classmethod
    def _can_be_reached(cls, least: dict[str, float]) -> dict[str, float]:
        for name, value in least.items():
            most = BETTER[name].most if name in BETTER else None
            if most is not None and value > most:
                raise ValueError(f"{name} goes up to {most}")
        return least


def make_policy(request: PolicyRequest, *, created_by: User | None = None) -> Policy:
    """Returns the policy that somebody asks for."""
    with at("name"):
        require_free_name(request.name)
    with at("studies"):
        studies = find_studies(request.studies)
    return create_policy(
        request.name,
        studies=studies,
        min_mean_scores=request.min_mean_scores,
        min_measures=request.min_measures,
        min_readers=request.min_readers,
        vetoing_flags=request.vetoing_flags,
        vetoing_grade=request.vetoing_grade,
        refuses_copies=request.refuses_copies,
        uses_simulated_readers=request.uses_simulated_readers,
        prefers_final=request.prefers_final,
        created_by=created_by,
    )


def find_studies(names: Sequence[str]) -> list[Study]:
    """Studies that readings can be of: a draft has none."""
    found = Study.objects.own().exclude(state=StudyState.DRAFT).filter(name__in=names)
    studies = list(found.prefetch_related("criteria", "flag_kinds"))
    missing = sorted(set(names) - {study.name for study in studies})
    if missing:
        raise RemediableError(
            f"There is no study {', '.join(missing)} that was opened.",
            remedy="Name studies as their page does; a draft has no readings.",
        )
    return studies


class CuratedSetRequest(Request):
    """A policy by name, to be applied to the readings that there are."""

    policy: str = Field(min_length=1, max_length=100)


def curate(request: CuratedSetRequest, *, created_by: User | None = None) -> CuratedSet:
    with at("policy"):
        policy = find_policy(request.policy)
    return apply_policy(policy, created_by)


def find_policy(name: str) -> Policy:
    policy = Policy.objects.filter(name=name).first()
    if policy is None:
        raise RemediableError(
            f"There is no policy {name!r}.", remedy="Take its name from the page Curation."
        )
    return policy

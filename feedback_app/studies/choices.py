"""What a coordinator can choose among when a study is designed or changed."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from feedback_app.accounts.models import Role, User
from feedback_app.images.models import Batch, BatchRecipe, Scorer, ScorerKind
from feedback_app.related import number_of
from feedback_app.runs.models import UNSUCCESSFUL
from feedback_app.studies.drafting import OWN_LABEL, OWN_REPORT
from feedback_app.studies.models import CaseImage, DraftSet, Study
from feedback_app.studies.modes import mode_of

OFFERED = 20
"""A form counts no more batches than these; others are found by their names."""


def offered_batches(*, words: str = "", chosen: Iterable[str] = ()) -> QuerySet[Batch]:
    """Returns the newest batches with these words in their names, after those that are chosen
    already.

    Adds how many images each asked for, how many are made, and of how many prompts.
    """
    newest = Batch.objects.order_by("-created_at", "pk")
    for word in words.split():
        newest = newest.filter(name__icontains=word)
    is_chosen = Q(pk__in=[key for key in map(as_uuid, chosen) if key])
    places = BatchRecipe.objects.filter(batch=OuterRef("pk"))
    prompts = Count("prompt_index", distinct=True)
    return (
        Batch.objects.filter(is_chosen | Q(pk__in=newest.values("pk")[:OFFERED]))
        .select_related("model_version")
        .annotate(
            asked=Coalesce("fitting__images", number_of(places)),
            made=number_of(places.made()),
            prompts=Subquery(places.order_by().values("batch").values(number=prompts)),
        )
        .order_by(Case(When(is_chosen, then=0), default=1), "-created_at", "pk")
    )


def known_batches(keys: Iterable[str]) -> QuerySet[Batch]:
    """Returns those of the named batches that there are; what is no key is left out."""
    return Batch.objects.filter(pk__in=[key for key in map(as_uuid, keys) if key])


def as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def reward_models() -> QuerySet[Scorer]:
    """The newest comes first."""
    return Scorer.objects.filter(kind=ScorerKind.REWARD_MODEL).order_by("-created_at")


def source_choices() -> list[tuple[str, str]]:
    """Sources of reports: the cohort itself, and all sets that are there or being written."""
    sets = DraftSet.objects.exclude(run__state__in=UNSUCCESSFUL).select_related("run")
    return [
        (OWN_REPORT, OWN_LABEL),
        *((one.name, one.name if one.is_written else f"{one} (being written)") for one in sets),
    ]


def people() -> QuerySet[User]:
    """Readers that are people; a coordinator knows too much to be blind."""
    return User.objects.filter(role=Role.READER, is_active=True, is_simulated=False).order_by(
        "last_name", "username"
    )


def batches_of(study: Study) -> dict[str, Any]:
    """``batches``, and in a comparison of two batches the one that is second, ``against``."""
    run = study.slots_run
    if run is not None and run.kind == "fill_study" and not study.cases.exists():
        against = Batch.objects.filter(pk=run.spec["against"]).first()
        return {"batches": Batch.objects.filter(pk__in=run.spec["batches"]), "against": against}
    shown = CaseImage.objects.filter(case__study=study).exclude(image__in=study.picked)
    batches = Batch.objects.filter(
        recipes__candidate__image__in=shown.order_by().values("image")
    ).distinct()
    if not mode_of(study.mode).takes_second_batch:
        return {"batches": batches}
    path = "recipes__candidate__image__caseimage"
    first = Batch.objects.filter(**{f"{path}__case__study": study, f"{path}__position": 0})
    second = Batch.objects.filter(**{f"{path}__case__study": study, f"{path}__position": 1})
    only_second = second.exclude(pk__in=first.values("pk")).distinct()
    return {"batches": first.distinct(), "against": only_second.first()}

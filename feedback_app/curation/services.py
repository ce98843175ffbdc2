"""Making policies and applying them."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.models.functions import Coalesce

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.curation.kinds import APPLY
from feedback_app.curation.models import CuratedItem, CuratedSet, CuratedSource, Policy
from feedback_app.curation.rules import Admitted, Rules, count_considered, evaluate
from feedback_app.images.measures import BETTER
from feedback_app.readings.models import Grade
from feedback_app.runs.models import Run
from feedback_app.runs.services import start
from feedback_app.studies.models import CriterionKind, Study
from generation.errors import RemediableError

CANDIDATES_AT_ONCE = 2_000
"""More would keep a request waiting."""


@transaction.atomic
def create_policy(
    name: str,
    *,
    studies: Iterable[Study],
    min_mean_scores: Mapping[str, float],
    min_measures: Mapping[str, float] | None = None,
    min_readers: int = 1,
    vetoing_flags: Iterable[str] = (),
    vetoing_grade: str = Grade.MINOR,
    refuses_copies: bool = True,
    uses_simulated_readers: bool = False,
    prefers_final: bool = False,
    created_by: User | None = None,
) -> Policy:
    """Returns a policy over these studies; a criterion or flag that none of them has is refused."""
    chosen = list(studies)
    flags = sorted(set(vetoing_flags))
    _require_known("criterion", min_mean_scores, known=criteria_of(chosen))
    _require_known("flag", flags, known=flags_of(chosen))
    _require_measures(min_measures or {})
    policy = Policy.objects.create(
        name=name,
        min_readers=min_readers,
        min_mean_scores={slug: float(least) for slug, least in min_mean_scores.items()},
        min_measures={name: float(least) for name, least in (min_measures or {}).items()},
        vetoing_flags=flags,
        vetoing_grade=vetoing_grade,
        refuses_copies=refuses_copies,
        uses_simulated_readers=uses_simulated_readers,
        prefers_final=prefers_final,
        created_by=created_by,
    )
    policy.studies.set(chosen)
    record(
        "policy.created",
        actor=created_by,
        target=policy.name,
        target_id=policy.pk,
        details={"studies": [study.name for study in chosen]},
    )
    return policy


def require_free_name(name: str) -> None:
    if Policy.objects.filter(name=name).exists():
        raise RemediableError(
            f"There is a policy “{name}” already.",
            remedy="Give another name, or leave the rules out to apply it.",
        )


def criteria_of(studies: Iterable[Study]) -> dict[str, str]:
    """Returns the criteria that the studies score images by, slug to name, in their readers'
    order.
    """
    return {
        item.slug: item.name
        for study in studies
        for item in study.criteria.all()
        if item.kind == CriterionKind.ORDINAL
    }


def flags_of(studies: Iterable[Study]) -> dict[str, str]:
    return {item.slug: item.name for study in studies for item in study.flag_kinds.all()}


def _require_known(what: str, slugs: Iterable[str], *, known: Mapping[str, str]) -> None:
    unknown = [slug for slug in slugs if slug not in known]
    if unknown:
        raise RemediableError(
            f"None of the studies has the {what} {', '.join(map(repr, unknown))}.",
            remedy=f"Use one of: {', '.join(known) or 'none there are'}.",
        )


def _require_measures(names: Iterable[str]) -> None:
    unknown = [name for name in names if name not in BETTER]
    if unknown:
        raise RemediableError(
            f"No scorer measures {', '.join(map(repr, unknown))}.",
            remedy=f"Use one of: {', '.join(BETTER)}.",
        )


def begin_applying(policy: Policy, created_by: User | None = None) -> CuratedSet | Run:
    """Apply a policy, or start the run that does where there are many candidates."""
    if count_considered(Rules.of(policy)) <= CANDIDATES_AT_ONCE:
        return apply_policy(policy, created_by)
    return start(
        APPLY,
        title=f"Apply the policy {policy.name}",
        spec={"policy": policy.pk},
        created_by=created_by,
    )


@transaction.atomic
def apply_policy(
    policy: Policy, created_by: User | None = None, *, replaces: CuratedSet | None = None
) -> CuratedSet:
    """Returns the curated set of a policy now; where readings say the same as before, the same set.

    A set that rests on retracted readings is not used again, whatever it says.
    """
    Policy.objects.select_for_update().get(pk=policy.pk)
    rules = Rules.of(policy)
    verdict = evaluate(rules)
    if not verdict.admitted:
        raise RemediableError(
            f"None of the {verdict.considered} candidates meets the policy {policy.name!r}.",
            remedy="Make a policy with looser rules, or collect more readings.",
        )
    sha256 = hash_contents(rules.as_json(), verdict.admitted)
    alike = policy.curated_sets.filter(sha256=sha256)
    tainted = CuratedSet.objects.resting_on_retracted().values("pk")
    existing = alike.exclude(pk__in=tainted).first()
    if existing and (replaces is None or existing.replaces_id == replaces.pk):
        return existing
    curated_set = CuratedSet.objects.create(
        policy=policy,
        rules=rules.as_json(),
        sha256=sha256,
        is_simulated=rules.uses_simulated_readers,
        considered=verdict.considered,
        refused=verdict.refused,
        replaces=replaces,
        created_by=created_by,
    )
    of_study = Coalesce("slot__study__adjudicates__study", "slot__study")
    sources = rules.readings().order_by().values_list(of_study, "reader").distinct()
    CuratedSource.objects.bulk_create(
        CuratedSource(curated_set=curated_set, study_id=study, reader_id=reader)
        for study, reader in sources
    )
    CuratedItem.objects.bulk_create(
        CuratedItem(
            curated_set=curated_set,
            candidate_id=item.candidate_id,
            position=position,
            mean_scores=item.mean_scores,
            measures=item.measures,
            reader_count=item.reader_count,
        )
        for position, item in enumerate(verdict.admitted)
    )
    record(
        "curated_set.made",
        actor=created_by,
        target=policy.name,
        target_id=curated_set.pk,
        details={"admitted": len(verdict.admitted), "considered": verdict.considered},
    )
    return curated_set


def hash_contents(rules: Mapping[str, Any], items: Iterable[Admitted]) -> str:
    """SHA-256 of the canonical JSON of rules and items, free of this database's ids of items."""
    content = {"rules": rules, "items": [_content_of(item) for item in items]}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _content_of(item: Admitted) -> dict[str, Any]:
    content = asdict(item)
    del content["candidate_id"]
    if not item.measures:
        del content["measures"]
    return content


def recompute_hash(curated_set: CuratedSet) -> str:
    """Returns the SHA-256 of a set's rules and items as they are stored."""
    items = curated_set.items.select_related("candidate__image")
    return hash_contents(
        curated_set.rules,
        [
            Admitted(
                candidate_id=item.candidate_id,
                recipe_key=item.candidate.recipe_id,
                pixels_sha256=item.candidate.image.pixels_sha256,
                mean_scores=item.mean_scores,
                measures=item.measures,
                reader_count=item.reader_count,
            )
            for item in items
        ],
    )

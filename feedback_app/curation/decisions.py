"""Decisions by hand: a candidate that a policy would let in is left out, or let in again."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from feedback_app.accounts import audit
from feedback_app.accounts.models import User
from feedback_app.curation.models import REASON_MAX, Decision, Policy
from generation.errors import RemediableError


@transaction.atomic
def decide(
    policy: Policy,
    candidates: Iterable[UUID],
    *,
    is_out: bool,
    reason: str,
    made_by: User | None = None,
) -> int:
    """Leaves them out from now on, or lets the rules decide again; sets that are made stay."""
    reason = reason.strip()
    if not reason or len(reason) > REASON_MAX:
        raise RemediableError(
            "A reason is missing." if not reason else "The reason is too long.",
            remedy=f"Say why, in up to {REASON_MAX:,} characters: it is kept with the decision.",
        )
    Policy.objects.select_for_update().get(pk=policy.pk)
    out = set(policy.decisions.standing().values_list("candidate", flat=True))
    changed = [key for key in dict.fromkeys(candidates) if (key in out) != is_out]
    Decision.objects.bulk_create(
        Decision(policy=policy, candidate_id=key, is_out=is_out, reason=reason, made_by=made_by)
        for key in changed
    )
    audit.record(
        "policy.left_out" if is_out else "policy.let_in",
        actor=made_by,
        target=policy.name,
        target_id=policy.pk,
        details={"candidates": len(changed), "reason": reason},
    )
    return len(changed)

"""Which version new batches take: after a gate, against it with a reason, and back."""

from django.db import transaction

from feedback_app.accounts import audit
from feedback_app.accounts.models import User
from feedback_app.finetuning.dependents import is_retracted
from feedback_app.finetuning.gates.models import GateVerdict
from feedback_app.finetuning.models import FineTune
from feedback_app.images.models import ModelVersion, Promotion, PromotionKind
from feedback_app.images.versions.services import promote
from generation.errors import RemediableError


def latest_verdict(version: ModelVersion) -> GateVerdict | None:
    verdicts = GateVerdict.objects.filter(gate__child=version, gate__parent=version.parent)
    return verdicts.order_by("-created_at").first()


def needs_reason(version: ModelVersion) -> bool:
    """Returns whether nothing but somebody's word speaks for a version that was taught.

    A verdict whose judge rests on retracted readings speaks for nothing.
    """
    if version.parent is None or version.is_promoted:
        return False
    verdict = latest_verdict(version)
    return verdict is None or not verdict.is_promote or is_retracted(verdict)


@transaction.atomic
def promote_version(
    version: ModelVersion, *, actor: User | None, reason: str = ""
) -> Promotion | None:
    """Promote by hand; a hold, or no verdict at all, is overruled with a reason only."""
    reason = reason.strip()
    is_overruled = needs_reason(version)
    verdict = latest_verdict(version)
    if is_overruled and not reason:
        said = _said(verdict)
        raise RemediableError(
            f"The gate of “{version.name}” {said}.",
            remedy="Promote it all the same by saying why, or let a gate compare it first.",
        )
    if is_overruled:
        kind = PromotionKind.OVERRULED
    else:
        kind = PromotionKind.BY_GATE if verdict else PromotionKind.BY_HAND
    return _promote(version, kind=kind, actor=actor, reason=reason, verdict=verdict)


def _said(verdict: GateVerdict | None) -> str:
    if verdict is None:
        return "has not been asked yet"
    return "rests on retracted readings" if verdict.is_promote else "says hold"


@transaction.atomic
def go_back(*, actor: User | None) -> Promotion:
    """Promote the version that the promoted one took over from."""
    turns = Promotion.objects.in_turn()
    if len(turns) < 2:
        raise RemediableError(
            "No version was promoted before this one.", remedy="Promote another version."
        )
    back = _promote(
        turns[-2],
        kind=PromotionKind.BACK,
        actor=actor,
        reason=f"Back from {turns[-1].name}",
        verdict=None,
    )
    if back is None:
        raise RemediableError(
            f"“{turns[-2].name}” is promoted already.", remedy="Load the page again."
        )
    return back


def promote_by_gate(verdict: GateVerdict) -> Promotion | None:
    """Promote the child of a scheduled fine-tune, where its schedule says so and the gate too.

    Not where another version than the parent was promoted meanwhile: the child was not
    compared with that one.
    """
    still_promoted = ModelVersion.objects.filter(pk=verdict.gate.parent_id, is_promoted=True)
    if not verdict.is_promote or not still_promoted.exists():
        return None
    asks_for_it = FineTune.objects.filter(
        model_version=verdict.gate.child, schedule__promotes_by_itself=True
    )
    if not asks_for_it.exists():
        return None
    return _promote(
        verdict.gate.child,
        kind=PromotionKind.BY_GATE,
        actor=None,
        reason="By its schedule",
        verdict=verdict,
    )


def _promote(
    version: ModelVersion,
    *,
    kind: PromotionKind,
    actor: User | None,
    reason: str,
    verdict: GateVerdict | None,
) -> Promotion | None:
    promotion = promote(version, kind=kind, actor=actor, reason=reason)
    if promotion is not None:
        audit.record(
            "model.overruled" if kind == PromotionKind.OVERRULED else "model.promoted",
            actor=actor,
            target=version.name,
            target_id=version.pk,
            details={
                "kind": kind.label,
                "reason": reason,
                "gate": str(verdict.gate_id) if verdict else "",
                "verdict": verdict.decision if verdict else "",
            },
        )
    return promotion

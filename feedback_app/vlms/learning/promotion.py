"""Which VLM version is offered first: after a gate, against it with a reason, and back."""

from typing import Any

from django.db import transaction

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.vlms.learning.dependents import retracted_report_snapshots
from feedback_app.vlms.learning.finetunes import finetunes_behind
from feedback_app.vlms.learning.gate_models import VlmPromotion, VlmPromotionKind, VlmVerdict
from feedback_app.vlms.models import VlmVersion
from generation.errors import RemediableError


def promoted_vlm() -> VlmVersion | None:
    """Returns the version that is promoted; None where none was yet."""
    turns = VlmPromotion.objects.in_turn()
    return turns[-1] if turns else None


def latest_verdict(version: VlmVersion) -> VlmVerdict | None:
    found = VlmVerdict.objects.filter(gate__child=version, gate__parent=version.parent_id)
    return found.select_related("gate__snapshot").order_by("-created_at").first()


def rests_on_retracted(version: VlmVersion) -> bool:
    """Returns whether readings that are retracted now taught the version or an ancestor."""
    snapshots = {row.snapshot_id for row in finetunes_behind(version)}
    return retracted_report_snapshots().filter(pk__in=snapshots).exists()


def is_unsupported(verdict: VlmVerdict) -> bool:
    """Returns whether the readers who judged are retracted now: it speaks for nothing then."""
    return retracted_report_snapshots().filter(pk=verdict.gate.snapshot_id).exists()


def reason_needed(version: VlmVersion) -> str:
    """Says why a version is promoted with a reason only; empty where it needs none."""
    if not VlmVersion.objects.filter(pk=version.pk, fine_tune__isnull=False).exists():
        return ""
    verdict = latest_verdict(version)
    if verdict is None:
        return "its gate has not been asked yet"
    if rests_on_retracted(version) or is_unsupported(verdict):
        return "it rests on retracted readings"
    return "" if verdict.is_promote else "its gate says hold"


@transaction.atomic
def promote_vlm(
    version: VlmVersion, *, actor: User | None, reason: str = ""
) -> VlmPromotion | None:
    """Promote it; what no gate speaks for with a reason only. None where it is promoted already."""
    list(VlmVersion.objects.select_for_update().values_list("pk"))  # one at a time
    if promoted_vlm() == version:
        return None
    why, reason = reason_needed(version), reason.strip()
    if why and not reason:
        raise RemediableError(
            f"“{version.name}” is not promoted without a reason: {why}.",
            remedy="Say why it is promoted all the same, or let a gate compare it first.",
        )
    verdict = latest_verdict(version)
    kind = VlmPromotionKind.BY_GATE if verdict else VlmPromotionKind.BY_HAND
    return _promote(
        version,
        kind=VlmPromotionKind.OVERRULED if why else kind,
        actor=actor,
        reason=reason,
        verdict=verdict,
    )


@transaction.atomic
def go_back_vlm(*, actor: User | None) -> VlmPromotion:
    """Promote the version that the promoted one took over from."""
    list(VlmVersion.objects.select_for_update().values_list("pk"))
    turns = VlmPromotion.objects.in_turn()
    if len(turns) < 2:
        raise RemediableError(
            "No VLM version was promoted before this one.", remedy="Promote another version."
        )
    return _promote(
        turns[-2],
        kind=VlmPromotionKind.BACK,
        actor=actor,
        reason=f"Back from {turns[-1].name}",
        verdict=None,
    )


def _promote(version: VlmVersion, *, kind: VlmPromotionKind, actor: User | None, reason: str,
             verdict: VlmVerdict | None) -> VlmPromotion:  # fmt: skip
    details: dict[str, Any] = {
        "kind": kind.label,
        "reason": reason,
        "verdict": verdict.decision if verdict else "",
    }
    record("vlm.promoted", actor=actor, target=version.name, target_id=version.pk, details=details)
    return VlmPromotion.objects.create(
        version=version, kind=kind, reason=reason, verdict=verdict, created_by=actor
    )

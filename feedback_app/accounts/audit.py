"""The audit log: what people did that somebody may have to answer for."""

from typing import Any

from feedback_app.accounts.models import AuditEvent, User


def record(
    action: str,
    *,
    actor: User | None,
    target: str = "",
    target_id: object = "",
    details: dict[str, Any] | None = None,
    address: str | None = None,
) -> AuditEvent:
    """Add one line, in the transaction of what it tells of."""
    return AuditEvent.objects.create(
        action=action,
        actor=actor,
        target=target[:200],
        target_id=str(target_id),
        details=details or {},
        address=address,
    )

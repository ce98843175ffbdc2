"""From what is asked to what is erased, for programs and commands."""

from feedback_app.accounts.models import AuditEvent, User
from feedback_app.images.cohorts.services import find_cohort
from feedback_app.operations.erasure import cohorts, people
from feedback_app.operations.erasure.plans import Plan
from feedback_app.operations.requests import ErasureRequest
from generation.errors import RemediableError


def find_person(username: str) -> User:
    person = User.objects.filter(username=username).first()
    if person is None:
        raise RemediableError(
            f"There is no person {username!r}.", remedy="The page People lists them."
        )
    return person


def plan(kind: str, name: str) -> Plan:
    """Returns what erasing it would do."""
    if kind == "person":
        return people.plan_for(find_person(name))
    return cohorts.plan_for(find_cohort(name))


def erase(request: ErasureRequest, *, by: User | None, address: str | None = None) -> AuditEvent:
    """Do it; the line of the audit log that says so."""
    if request.kind == "person":
        done = people.erase_person(find_person(request.name), by=by, address=address).pk
        action = people.ERASED
    else:
        done = cohorts.erase_cohort(find_cohort(request.name), by=by, address=address).pk
        action = cohorts.ERASED
    return AuditEvent.objects.filter(action=action, target_id=str(done)).latest("pk")

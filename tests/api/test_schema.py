"""The API held against its schema, as each role and as nobody: what goes out is what it says.

Requests are made up by schemathesis from the schema, some of them wrong on purpose, with keys
of rows that there are. ``API_MINUTES=20 make test ARGS=tests/api/test_schema.py`` goes on for
so long instead of one short round.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from feedback_app.accounts.models import AuditEvent, User
from feedback_app.accounts.requests import TokenRequest
from feedback_app.accounts.tokens import make_token
from tests.world import COHORT, World, build_world

MINUTES = float(os.environ.get("API_MINUTES", "0"))
EXAMPLES = 5 if MINUTES else 1
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
READERS_OWN = ("/api/slots/{slot_id}/", "/api/reading-preferences/", "/api/notices/")
"""What a reader is answered at; everything else is for coordinators and admins."""
ADMINS_OWN = ("/api/people/", "/api/audit-log/", "/api/exports/")


@pytest.fixture
def world(rosa: User, ravi: User, cora: User, tmp_path: Path) -> World:
    return build_world(rosa=rosa, ravi=ravi, cora=cora, folder=tmp_path / "ward")


@pytest.fixture
def one_connection() -> Iterator[None]:
    """The end of a request closes nothing, as with Django's own test client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def keys_of(world: World) -> dict[str, Any]:
    """Keys of rows that there are, by the name that addresses have for them."""
    return {
        "batch_id": world.batch.pk,
        "image_id": world.stage.candidates[0].pk,
        "study_id": world.draft.pk,
        "case_id": world.case.pk,
        "slot_id": world.slot.pk,
        "mask_id": world.mask.pk,
        "version_id": world.version.pk,
        "snapshot_id": world.snapshot.pk,
        "finetune_id": world.fine_tune.pk,
        "gate_id": world.gate.pk,
        "schedule_id": world.schedule.pk,
        "policy_id": world.curated_set.policy_id,
        "set_id": world.curated_set.pk,
        "export_id": world.export.pk,
        "experiment_id": world.experiment.pk,
        "round_id": world.case.pk,  # there is none
        "retraction_id": world.retraction.pk,
        "run_id": world.run.pk,
        "vlm_id": world.image_question.version_id,
        "instruction_set_id": world.benchmark_result.instruction_set_id,
        "result_id": world.benchmark_result.pk,
        "question_id": world.image_question.pk,
        "report_snapshot_id": world.report_snapshot.pk,
        "vlm_fine_tune_id": world.vlm_fine_tune.pk,
        "vlm_gate_id": world.vlm_gate.pk,
        "event_id": AuditEvent.objects.latest("pk").pk,
        "person_id": world.slot.reader_id,
        "name": COHORT,
    }


def may_see(who: str, path: str) -> bool:
    if path.startswith(READERS_OWN):
        return who in {"rosa", "cora", "ada"}  # of slots, the keys above are Rosa's alone
    return who == "ada" or (who == "cora" and not path.startswith(ADMINS_OWN))


@pytest.mark.slow
@pytest.mark.django_db
def test_every_answer_is_as_the_schema_says(
    rosa: User, cora: User, ada: User, world: World, one_connection: None
) -> None:
    schema = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(public=True))
    keys = {name: str(value) for name, value in keys_of(world).items()}
    logins: dict[str, dict[str, str]] = {"nobody": {}}
    for person in (rosa, cora, ada):
        asked = TokenRequest(name="fuzz", role=person.held_role.value)
        token = make_token(asked, owner=person, by=person)[1]
        logins[person.username] = {"Authorization": f"Bearer {token}"}
    faults: dict[str, str] = {}
    until, number = time.monotonic() + 60 * MINUTES, 0
    operations: list[Any] = [
        found.ok()  # type: ignore[union-attr]
        for found in schema.get_all_operations()
    ]
    while number == 0 or time.monotonic() < until:
        for operation in operations:
            if number and time.monotonic() > until:
                break
            for who, headers in logins.items():
                faults |= faults_of(operation, who, headers, keys=keys, number=number)
        number += 1
    print(f"{number} rounds of {len(operations)} operations as {len(logins)}")
    assert not faults, "\n\n".join(f"{at}: {said}" for at, said in faults.items())


def faults_of(
    operation: Any, who: str, headers: dict[str, str], *, keys: dict[str, str], number: int
) -> dict[str, str]:
    """What is wrong with the answers of one operation to one person, by operation and person."""
    app = WSGIHandler()
    found: dict[str, str] = {}

    @seed(number)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def check(case: Any) -> None:
        for name in set(case.path_parameters or {}) & set(keys):
            case.path_parameters[name] = keys[name]
        with transaction.atomic():
            response = case.call(app=app, headers=headers)
            transaction.set_rollback(True)
        if response.status_code < 300 and not may_see(who, operation.path):
            found[f"{operation.label} as {who}"] = f"answered {response.status_code}"
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as error:  # each is told at the end, with its operation
            found[f"{operation.label} as {who}"] = str(error)[:700]

    check()
    return found

"""Lines of the log as JSON, with the request and the run that they are of."""

import io
import json
import logging
import logging.config
from copy import deepcopy
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from feedback_app import settings as ours
from feedback_app.runs import kinds, services
from feedback_app.runs.kinds import CPU, Kind


@pytest.fixture
def lines() -> Any:
    """Reads what is logged meanwhile, as the settings' JSON formatter writes it."""
    written = io.StringIO()
    config: dict[str, Any] = deepcopy(ours.LOGGING)
    config["handlers"]["console"] |= {"formatter": "json", "stream": written}
    before = logging.root.handlers[:], logging.root.level
    logging.config.dictConfig(config)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    logging.root.handlers[:], logging.root.level = before


@pytest.mark.django_db
def test_a_line_names_its_request_and_its_run(
    client: Client, settings: Settings, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MIDDLEWARE = ["feedback_app.logs.log_requests", *settings.MIDDLEWARE]
    mine = Client()
    answer = mine.get("/accounts/login/?next=/secret/", headers={"x-request-id": "from-proxy-1"})
    assert answer["X-Request-ID"] == "from-proxy-1"
    forged = mine.get("/accounts/login/", headers={"x-request-id": "a b\x01"})
    assert len(forged["X-Request-ID"]) == 32
    first, second = [line for line in lines() if line["logger"] == "feedback_app.requests"]
    assert first["request_id"] == "from-proxy-1" and second["request_id"] == forged["X-Request-ID"]
    assert (first["status"], first["view"], first["user"]) == (200, "accounts:login", None)
    assert first["ms"] > 0 and "secret" not in json.dumps(first)

    monkeypatch.setattr(kinds, "_kinds", dict(kinds._kinds))
    monkeypatch.setattr(kinds, "_handlers", dict(kinds._handlers))
    kinds.declare(Kind(name="say", queue=CPU, tasks=""))

    @kinds.handles("say")
    def say(progress: Any) -> dict[str, object]:
        logging.getLogger("said").warning("at work")
        raise ValueError("broken")

    run = services.start("say", title="Say", spec={})
    services.execute(run.pk)
    logging.getLogger("said").warning("afterwards")
    told = {
        line["message"]: line["run_id"]
        for line in lines()
        if line["run_id"] or "afterwards" in line["message"]
    }
    assert told["at work"] == str(run.pk)
    assert told[f"run {run.pk} failed"] == str(run.pk)
    assert told["afterwards"] == ""

"""Readers of a pool as their browsers behave: one kept connection each, requests one by one."""

import http.client
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.test import Client

from feedback_app.accounts.models import User

TIMEOUT_S = 30
CSRF_TOKEN = "b" * 32


@dataclass
class Timings:
    """Seconds from sending a reading until the next case was there, and of each picture."""

    turns_s: list[float] = field(default_factory=list)
    pictures_s: list[float] = field(default_factory=list)


class Reader:
    """One logged-in reader; ``acknowledged`` are the slots whose readings the server took.

    With a ``token`` it asks the API by that, and for pages and pictures by its session still.
    """

    def __init__(self, user: User, *, port: int, token: str = "") -> None:
        client = Client()
        client.force_login(user)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.user = user
        self.headers = {
            "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}; "
            f"{settings.CSRF_COOKIE_NAME}={CSRF_TOKEN}",
            "X-CSRFToken": CSRF_TOKEN,
            "X-Reader": str(user.pk),
            "Content-Type": "application/json",
        }
        self.api_headers = self.headers
        if token:
            self.api_headers = {name: self.headers[name] for name in ("X-Reader", "Content-Type")}
            self.api_headers["Authorization"] = f"Bearer {token}"
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        self.acknowledged: list[str] = []
        self.timings = Timings()

    def begin(self, study_id: object) -> dict[str, Any]:
        """Claim a first case by the work list's button, and fetch it."""
        status, headers, _ = self._ask("POST", f"/read/studies/{study_id}/begin/")
        assert status == 302, f"beginning answered {status}"
        slot = headers["Location"].strip("/").rpartition("/")[2]
        status, _, body = self._ask("GET", f"/api/slots/{slot}/")
        assert status == 200, body
        return self._with_pictures(json.loads(body))

    def turn(self, case: dict[str, Any]) -> dict[str, Any] | None:
        """Submit a reading of the case and get the next one, pictures and all."""
        started = time.perf_counter()
        self._submit(case)
        status, _, body = self._ask("POST", f"/api/slots/{case['slot']}/next/", {"holding": []})
        self.timings.turns_s.append(time.perf_counter() - started)
        assert status in {200, 204}, body
        return self._with_pictures(json.loads(body)) if status == 200 else None

    def read_until(self, deadline: float, case: dict[str, Any], *, every_s: float) -> None:
        """A reading every so many seconds; without a pause where that is zero."""
        due = time.monotonic()
        following: dict[str, Any] | None = case
        while following is not None and time.monotonic() < deadline:
            following = self.turn(following)
            due = max(due + every_s, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))

    def _submit(self, case: dict[str, Any]) -> None:
        body = {
            "idempotency_key": str(uuid.uuid4()),
            "scores": [
                {"place": place, "criterion": criterion["slug"], "value": 3}
                for place in range(len(case["images"]))
                for criterion in case["criteria"]
            ],
            "active_ms": 2_000,
        }
        status, _, answer = self._ask("POST", f"/api/slots/{case['slot']}/readings/", body)
        assert status == 201, answer
        self.acknowledged.append(case["slot"])

    def _with_pictures(self, case: dict[str, Any]) -> dict[str, Any]:
        for image in case["images"]:
            started = time.perf_counter()
            status, _, _ = self._ask("GET", image["address"])
            assert status == 200, f"a picture answered {status}"
            self.timings.pictures_s.append(time.perf_counter() - started)
        return case

    def _ask(
        self, method: str, address: str, body: object = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Once more where the server has closed the kept connection meanwhile."""
        content = None if body is None else json.dumps(body)
        send: Callable[[], None] = lambda: self.connection.request(  # noqa: E731
            method,
            address,
            body=content,
            headers=self.api_headers if address.startswith("/api/") else self.headers,
        )
        try:
            send()
            answer = self.connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):
            self.connection.close()
            send()
            answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()

"""The request for a webhook."""

from typing import Literal

from pydantic import Field

from feedback_app.requests import Request

EventName = Literal[
    "batch.done", "study.read", "fine-tune.done", "gate.verdict", "export.ready", "run.failed"
]


class WebhookRequest(Request):
    name: str = Field(min_length=1, max_length=100)
    url: str = Field(
        min_length=8,
        max_length=500,
        title="Address",
        description="https, and public unless the server allows others.",
    )
    events: tuple[EventName, ...] = Field(min_length=1, title="Is told when")

"""The requests for exports; ``ask_for_export`` and ``ask_for_preferences`` apply them."""

from uuid import UUID

from pydantic import Field

from feedback_app.exports.formats import FormatName
from feedback_app.requests import Request


class ExportRequest(Request):
    """A curated set, and the format that it is written out in."""

    curated_set: UUID = Field(description="The curated set's id")
    format: FormatName = Field(default="imagefolder", description="How it is written out")
    with_readings: bool = Field(
        default=False, description="Beside it a table of what each reader said, by pseudonym"
    )


class PreferencesRequest(Request):
    """A snapshot, whose pairs are written out for trainers of Diffusion-DPO."""

    snapshot: UUID = Field(description="The snapshot's id")

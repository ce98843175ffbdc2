"""The request for an export; ``start_export`` applies it."""

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

"""The request for a model version to be registered."""

from pydantic import Field

from feedback_app.requests import Request


class VersionRequest(Request):
    """Weights on the server or on the hub."""

    name: str = Field(min_length=1, max_length=100)
    location: str = Field(
        min_length=1,
        max_length=500,
        title="Folder or hub id",
        description="A folder in the diffusers format on the server, or owner/name@revision",
    )
    resolution: int | None = Field(
        default=None,
        ge=32,
        le=2048,
        multiple_of=8,
        description="Pixels; read from the model's own settings if left empty",
    )

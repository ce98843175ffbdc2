"""The request for a model version to be registered."""

from pydantic import Field

from feedback_app.requests import Request


class VersionRequest(Request):
    """Weights on the server or on the hub; a single file needs its configuration beside it."""

    name: str = Field(min_length=1, max_length=100)
    location: str = Field(
        min_length=1,
        max_length=500,
        title="Folder, file or hub id",
        description="On the server a folder in the diffusers format or one .safetensors or .ckpt "
        "file, which a run converts; or owner/name@revision",
    )
    config: str = Field(
        default="",
        max_length=500,
        title="Configuration",
        description="For a single file: a folder in the diffusers format with the settings and "
        "the tokenizer of the same model; its weights are not needed",
    )
    resolution: int | None = Field(
        default=None,
        ge=32,
        le=2048,
        multiple_of=8,
        description="Pixels; read from the model's own settings if left empty",
    )

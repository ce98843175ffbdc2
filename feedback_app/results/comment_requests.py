"""What somebody decides of a flag that a comment names: for page and program alike."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from feedback_app.requests import Request

Side = Annotated[float, Field(ge=0, le=100_000)]


class CommentFlagRequest(Request):
    """A flag that a comment means, or does not mean; only what is confirmed teaches anything."""

    reading: UUID
    flag: str = Field(min_length=1, max_length=32, description="Short name of the study's flag")
    image: int = Field(
        default=1, ge=1, le=8, description="Which image of the case, in the order of the case"
    )
    is_confirmed: bool
    grade: Literal["minor", "major"] = "minor"
    box: tuple[Side, Side, Side, Side] | None = Field(
        default=None,
        description="Left, top, right and bottom in pixels of the stored image, where it is marked",
    )

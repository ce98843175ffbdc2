"""What is asked about people."""

from typing import Literal

from pydantic import Field

from feedback_app.requests import Request

RoleName = Literal["reader", "coordinator", "admin"]


class ChangePersonRequest(Request):
    first_name: str = Field(default="", max_length=150)
    last_name: str = Field(default="", max_length=150)
    role: RoleName


class TokenRequest(Request):
    """What a token may do, and for how long."""

    name: str = Field(
        min_length=1, max_length=100, description="What it is for, such as “nightly export”."
    )
    role: RoleName = Field(default="reader", description="Your own, or one below it.")
    is_read_only: bool = Field(default=False, title="May only read, and change nothing")
    days: int = Field(default=90, ge=1, le=366, title="Days until it expires")


class PersonRequest(ChangePersonRequest):
    """Who gets an account; their first password is in the answer, and nowhere else."""

    username: str = Field(min_length=1, max_length=150, pattern=r"^[\w.@+-]+$")
    role: RoleName = "reader"

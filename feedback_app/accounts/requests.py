"""What is asked about people."""

from typing import Literal

from pydantic import Field

from feedback_app.requests import Request

RoleName = Literal["reader", "coordinator", "admin"]


class ChangePersonRequest(Request):
    first_name: str = Field(default="", max_length=150)
    last_name: str = Field(default="", max_length=150)
    role: RoleName


class PersonRequest(ChangePersonRequest):
    """Who gets an account; their first password is in the answer, and nowhere else."""

    username: str = Field(min_length=1, max_length=150, pattern=r"^[\w.@+-]+$")
    role: RoleName = "reader"

"""What is asked of those who look after an installation."""

from typing import Literal, Self

from pydantic import Field, model_validator

from feedback_app.requests import Request


class ErasureRequest(Request):
    """Who or what is erased, by its name, said twice."""

    kind: Literal["person", "cohort"]
    name: str = Field(min_length=1, max_length=150, description="User name, or a cohort's name.")
    confirm: str = Field(description="The same name once more: nothing brings it back.")

    @model_validator(mode="after")
    def _is_meant(self) -> Self:
        if self.confirm != self.name:
            raise ValueError("It has to be the same name.")
        return self

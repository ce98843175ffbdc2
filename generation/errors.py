"""Errors that a person can act on."""


class RemediableError(Exception):
    """Something the user can put right.

    ``str(error)`` names the value at fault; ``remedy`` says what to do about it.
    """

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy

"""The client of Reading Room's REST API: it needs neither Django nor the server's code."""

from reading_room.client import ApiError, Client, RunFailed

__all__ = ["ApiError", "Client", "RunFailed"]

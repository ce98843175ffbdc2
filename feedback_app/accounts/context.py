"""What every page knows about the login of whoever looks at it."""

from django.conf import settings
from django.http import HttpRequest

from feedback_app.accounts import sessions


def login_time(request: HttpRequest) -> dict[str, int]:
    """Seconds until the login ends, and how long before that the page warns."""
    user = getattr(request, "user", None)  # none where the request was refused before
    if user is None or not user.is_authenticated:
        return {}
    return {
        "login_remaining_s": sessions.remaining_s(request.session),
        "login_warn_s": settings.SESSION_WARN_S,
    }

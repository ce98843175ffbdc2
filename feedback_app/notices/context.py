"""What every page knows of its visitor's notices."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from feedback_app.notices.models import Notice


def unread_notices(request: HttpRequest) -> dict[str, object]:
    """Returns how many are unread; counted only by pages that show it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    unread = Notice.objects.unread().filter(person=user.pk)
    return {"unread_notices": SimpleLazyObject(unread.count)}

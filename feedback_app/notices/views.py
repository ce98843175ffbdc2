"""A person's own notices: the bell's count, the page, and how they want to have them."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from feedback_app.accounts.models import User
from feedback_app.notices import services
from feedback_app.notices.forms import NoticesForm
from feedback_app.notices.models import Notice

NOTICES_A_PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
def list_notices(request: HttpRequest) -> HttpResponse:
    person = cast("User", request.user)
    form = NoticesForm(request.POST or None, person=person)
    if request.method == "POST" and form.is_valid():
        ways = dict(form.cleaned_data)
        services.change_address(person, ways.pop("email"))
        services.choose(person, ways)
        messages.success(request, "Saved.")
        return redirect("notices:list")
    own = Notice.objects.filter(person=person)
    context = {
        "section": "notices",
        "page": Paginator(own, NOTICES_A_PAGE).get_page(request.GET.get("page")),
        "has_unread": own.unread().exists(),
        "form": form,
        "sends_mail": bool(settings.EMAIL_HOST),
    }
    return render(request, "notices/list.html", context, status=400 if form.errors else 200)


@require_safe
def count(request: HttpRequest) -> HttpResponse:
    """Shows the bell, which fetches itself anew."""
    return render(request, "notices/_bell.html")


@require_POST
def mark_read(request: HttpRequest) -> HttpResponse:
    services.mark_read(cast("User", request.user))
    return redirect("notices:list")

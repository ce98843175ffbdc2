"""One's own login: how it begins, how long it lasts, and its password."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.views.decorators.http import require_http_methods

from feedback_app.accounts import second_factors, sessions, waiting
from feedback_app.accounts.addresses import client_address
from feedback_app.accounts.audit import record
from feedback_app.accounts.forms import OwnPasswordForm


class PersonLoginView(LoginView):
    """Name and password; who has a second factor is asked for its code before they are in."""

    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        person = form.get_user()
        if not second_factors.is_set_up(person):
            return super().form_valid(form)
        waiting.begin(self.request, person, then=self.get_redirect_url())
        return redirect("accounts:code")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sign_on = settings.OIDC_NAME if settings.OIDC_ISSUER else ""
        return super().get_context_data(**kwargs) | {"sign_on": sign_on}


@login_not_required
@require_http_methods(["GET", "POST"])
def session(request: HttpRequest) -> HttpResponse:
    """Shows how long the login lasts; asking does not prolong it, a POST does.

    A page may name whose it is in ``X-Reader``: to it, somebody else's login is none.
    """
    reader = str(request.user.pk)
    if not request.user.is_authenticated or request.headers.get("X-Reader", reader) != reader:
        return JsonResponse({"error": LOGGED_OUT}, status=401)
    if request.method == "POST":
        sessions.extend(request.session)
    answer = {
        "remaining_s": sessions.remaining_s(request.session),
        "warn_s": settings.SESSION_WARN_S,
    }
    return JsonResponse(answer)


LOGGED_OUT = {
    "code": "not_authenticated",
    "message": "You are logged out.",
    "remedy": "Log in again.",
    "fields": {},
}


class OwnPasswordView(PasswordChangeView):
    template_name = "accounts/password.html"
    form_class = OwnPasswordForm
    success_url = reverse_lazy("home")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"request": self.request}

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        person = form.user
        person.must_change_password = False  # saved with the password
        response = super().form_valid(form)
        record(
            "password.changed",
            actor=person,
            target=person.username,
            target_id=person.pk,
            address=client_address(self.request),
        )
        messages.success(self.request, "Your password is changed.")
        return response

"""The second factor: the code after the password, and one's own page to set it up."""

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from feedback_app.accounts import second_factors, sessions, waiting
from feedback_app.accounts.addresses import client_address
from feedback_app.accounts.forms import CodeForm, SetUpForm
from feedback_app.accounts.models import SecondFactor, User
from feedback_app.remedies import complain
from generation.errors import RemediableError

LOGS_IN = "django.contrib.auth.backends.ModelBackend"
SECRET = "second_factor_to_confirm"  # noqa: S105  a key of the session
WRONG = "This code is wrong, over, or used already."


@sensitive_post_parameters("code")
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def ask_code(request: HttpRequest) -> HttpResponse:
    """After the right password; a wrong code counts, and locks, like a wrong password."""
    person = waiting.person_of(request)
    if person is None:
        if request.method == "POST":
            messages.warning(request, "That took too long. Begin again, please.")
        return redirect("accounts:login")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _is_right(request, person, form):
        then = waiting.end(request)
        request.login_way = sessions.CODE  # type: ignore[attr-defined]
        login(request, person, backend=LOGS_IN)
        return redirect(then or resolve_url(settings.LOGIN_REDIRECT_URL))
    return render(request, "accounts/code.html", {"form": form})


@sensitive_post_parameters("code", "password")
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """One's own second factor: set up, its recovery codes made anew, or removed."""
    person = cast("User", request.user)
    if not person.has_usable_password():
        return render(request, "accounts/second_factor.html", {"is_local": False})
    factor = SecondFactor.objects.filter(person=person).first()
    if factor is None:
        return _set_up(request, person)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _is_right(request, person, form):
        done = ACTIONS.get(request.POST.get("action", ""))
        if done:
            return done(request, person)
    context = {
        "is_local": True,
        "factor": factor,
        "form": form,
        "codes_left": second_factors.codes_left(person),
        "is_required": person.held_role in settings.SECOND_FACTOR_ROLES,
    }
    status = 400 if form.errors else 200
    return render(request, "accounts/second_factor.html", context, status=status)


def _set_up(request: HttpRequest, person: User) -> HttpResponse:
    secret = request.session.setdefault(SECRET, second_factors.new_secret())
    form = SetUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        # Whoever finds a page open must not lock out its owner with a telephone of their own.
        if authenticate(request, username=person.username, password=form.cleaned_data["password"]):
            try:
                codes = second_factors.set_up(
                    person,
                    secret=secret,
                    code=form.cleaned_data["code"],
                    address=client_address(request),
                )
            except RemediableError as error:
                complain(form, "code", error)
            else:
                del request.session[SECRET]
                request.session[sessions.WAY] = sessions.CODE
                return _show_codes(request, codes)
        else:
            form.add_error("password", "This is not your password.")
    context = {
        "is_local": True,
        "form": form,
        "secret": [secret[start : start + 4] for start in range(0, len(secret), 4)],
        "picture": second_factors.picture_of(secret, person),
        "is_required": person.held_role in settings.SECOND_FACTOR_ROLES,
    }
    status = 400 if form.errors else 200
    return render(request, "accounts/second_factor.html", context, status=status)


def _renew(request: HttpRequest, person: User) -> HttpResponse:
    return _show_codes(request, second_factors.renew_codes(person, address=client_address(request)))


def _remove(request: HttpRequest, person: User) -> HttpResponse:
    second_factors.remove(person, address=client_address(request))
    request.session[sessions.WAY] = sessions.PASSWORD
    messages.success(request, "Your second factor is removed: your password alone logs you in.")
    return redirect("accounts:second-factor")


ACTIONS: dict[str, Callable[[HttpRequest, User], HttpResponse]] = {
    "renew": _renew,
    "remove": _remove,
}


def _is_right(request: HttpRequest, person: User, form: CodeForm) -> bool:
    asked: dict[str, Any] = {"username": person.username, "code": form.cleaned_data["code"]}
    is_right = authenticate(request, **asked) is not None
    if not is_right:
        form.add_error("code", WRONG)
    return is_right


def _show_codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    """Once: they are in this answer and nowhere else."""
    return render(request, "accounts/recovery_codes.html", {"codes": codes})

"""What holds for every request: how long a login lasts, new passwords, what is kept of pages."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import ResolverMatch

from feedback_app.accounts import sessions

GetResponse = Callable[[HttpRequest], HttpResponse]

NOT_KEPT = "private, no-store"
BACKGROUND_HEADER = "X-Background"
BACKGROUND_VIEWS = frozenset({"accounts:session", "api:heartbeat"})
"""Views that pages call by themselves, whoever sits before them."""


def keep_answers_nowhere(get_response: GetResponse) -> GetResponse:
    """Pages, tables and files stay with who saw them: no cache keeps them, here or on the way.

    Only a view that says how long its answer may be kept has it kept; static files have such a
    word, and "not modified" leaves the word of what is kept already.
    """

    def with_word(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code != HTTPStatus.NOT_MODIFIED:
            response.headers.setdefault("Cache-Control", NOT_KEPT)
        return response

    return with_word


ALWAYS_OPEN = frozenset({"accounts:logout", "accounts:session"})


class SessionTimeout:
    """Ends a login that is over, and prolongs it for what a person does.

    Pages that refresh themselves say so in the header ``X-Background`` and prolong nothing.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and sessions.remaining_s(request.session) == 0:
            request.session_ended_by = "time"  # type: ignore[attr-defined]
            logout(request)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, _view: Any, _args: Any, _kwargs: Any) -> None:
        if request.user.is_authenticated and not is_background(request):
            sessions.extend_now_and_then(request.session)


def is_background(request: HttpRequest) -> bool:
    match: ResolverMatch | None = request.resolver_match
    is_listed = match is not None and match.view_name in BACKGROUND_VIEWS
    return is_listed or BACKGROUND_HEADER in request.headers


class DoneFirst:
    """Sends people to one page before all others for as long as something is to be done there."""

    page: str
    ERROR: dict[str, Any]

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def is_due(self, request: HttpRequest) -> bool:
        raise NotImplementedError

    def process_view(
        self, request: HttpRequest, _view: Any, _args: Any, _kwargs: Any
    ) -> HttpResponseBase | None:
        match = request.resolver_match
        assert match is not None
        if not self.is_due(request) or match.view_name in {*ALWAYS_OPEN, self.page}:
            return None
        if "api" in match.namespaces:
            return JsonResponse({"error": self.ERROR}, status=403)
        return redirect(self.page)


class PasswordChangeRequired(DoneFirst):
    """Whoever was given a password chooses one of their own before anything else."""

    page = "accounts:password"
    ERROR = {
        "code": "password_change_required",
        "message": "Your password was given to you and has to be changed first.",
        "remedy": "Open any page of the site and choose a password of your own.",
        "fields": {},
    }

    def is_due(self, request: HttpRequest) -> bool:
        return getattr(request.user, "must_change_password", False)


class SecondFactorRequired(DoneFirst):
    """Whoever has a role that needs a second factor, and logged in without, sets one up first.

    Single sign-on has factors of its own, and programs have tokens.
    """

    page = "accounts:second-factor"
    ERROR = {
        "code": "second_factor_required",
        "message": "People of your role log in with a second factor.",
        "remedy": "Open any page of the site and set one up.",
        "fields": {},
    }

    def is_due(self, request: HttpRequest) -> bool:
        if not settings.SECOND_FACTOR_ROLES or not request.user.is_authenticated:
            return False
        is_in_need = request.user.held_role in settings.SECOND_FACTOR_ROLES
        has_one = request.session.get(sessions.WAY) in {sessions.CODE, sessions.SINGLE_SIGN_ON}
        return is_in_need and not has_one and not request.user.must_change_password

"""The people of an installation, for admins only."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from feedback_app.accounts import second_factors, services, throttle
from feedback_app.accounts.access import admins_only, person_of
from feedback_app.accounts.addresses import client_address
from feedback_app.accounts.audit import record
from feedback_app.accounts.forms import AddPersonForm, ChangePersonForm
from feedback_app.accounts.models import AuditEvent, User
from feedback_app.remedies import complain, tell
from generation.errors import RemediableError

SECTION = {"section": "people"}
SHOWN_EVENTS = 10


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def add(request: HttpRequest) -> HttpResponse:
    form = AddPersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        person, password = services.add_person(**form.cleaned_data, **_by(request))
        return _show_password(request, person, password)
    context = SECTION | {"form": form}
    return render(request, "accounts/add_person.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def show(request: HttpRequest, person_id: int) -> HttpResponse:
    person = person_of(person_id)
    names = {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "role": person.held_role,
    }
    form = ChangePersonForm(request.POST or None, initial=names)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_person(person, **form.cleaned_data, **_by(request))
        except RemediableError as error:
            complain(form, None, error)
        else:
            messages.success(request, "Saved.")
            return redirect("accounts:person", person.pk)
    events = AuditEvent.objects.of_person(person).select_related("actor")
    context = SECTION | {
        "person": person,
        "form": form,
        "events": events[:SHOWN_EVENTS],
        "has_second_factor": second_factors.is_set_up(person),
        "is_linked": person.identities.exists(),
    }
    return render(request, "accounts/person.html", context, status=400 if form.errors else 200)


@require_POST
@admins_only
def reset_password(request: HttpRequest, person_id: int) -> HttpResponse:
    person = person_of(person_id)
    try:
        password = services.reset_password(person, **_by(request))
    except RemediableError as error:
        tell(request, error)
        return redirect("accounts:person", person.pk)
    return _show_password(request, person, password)


@require_POST
@admins_only
def deactivate(request: HttpRequest, person_id: int) -> HttpResponse:
    said = "{} can no longer log in."
    return _change(request, person_id, change=services.deactivate, said=said)


@require_POST
@admins_only
def reactivate(request: HttpRequest, person_id: int) -> HttpResponse:
    said = "{} can log in again."
    return _change(request, person_id, change=services.reactivate, said=said)


@require_POST
@admins_only
def reset_second_factor(request: HttpRequest, person_id: int) -> HttpResponse:
    said = "{} logs in with the password alone, until they set up a second factor again."
    return _change(request, person_id, change=services.reset_second_factor, said=said)


@require_POST
@admins_only
def forget_sign_on(request: HttpRequest, person_id: int) -> HttpResponse:
    said = "The next login of {} by single sign-on is linked anew, by their name here."
    return _change(request, person_id, change=services.forget_sign_on, said=said)


@require_POST
@admins_only
def unlock(request: HttpRequest) -> HttpResponse:
    username, address = request.POST.get("username", ""), request.POST.get("address", "")
    lock = next(
        (lock for lock in throttle.current_locks()
         if (lock.username, lock.address) == (username, address)),
        None,
    )  # fmt: skip
    if lock is None:
        messages.warning(request, "That lock is gone already.")
    else:
        throttle.unlock(username=lock.username, address=lock.address)
        record(
            "login.unlocked",
            actor=_admin(request),
            target=lock.username or lock.address,
            details={"locked_address": lock.address},
            address=client_address(request),
        )
        messages.success(request, f"{lock.username or lock.address} is unlocked.")
    return redirect("accounts:people")


def _change(
    request: HttpRequest, person_id: int, *, change: Callable[..., User], said: str
) -> HttpResponse:
    person = person_of(person_id)
    try:
        change(person, **_by(request))
    except RemediableError as error:
        tell(request, error)
    else:
        messages.success(request, said.format(person.display_name))
    return redirect("accounts:person", person.pk)


def _show_password(request: HttpRequest, person: User, password: str) -> HttpResponse:
    """Once: it is in this answer and nowhere else."""
    context: dict[str, Any] = SECTION | {"person": person, "password": password}
    return render(request, "accounts/temporary_password.html", context)


def _by(request: HttpRequest) -> dict[str, Any]:
    return {"by": _admin(request), "address": client_address(request)}


def _admin(request: HttpRequest) -> User:
    return cast("User", request.user)

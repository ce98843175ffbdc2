"""To the provider of single sign-on, and back."""

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe

from feedback_app.accounts import sessions, single_sign_on
from feedback_app.accounts.addresses import client_address
from feedback_app.accounts.audit import record
from feedback_app.accounts.events import UNKNOWN_NAME
from feedback_app.accounts.single_sign_on import SignOnRefusedError
from feedback_app.accounts.views.second_factor import LOGS_IN

THEN = "sign_on_then"


@login_not_required
@require_safe
def begin(request: HttpRequest) -> HttpResponse:
    """A link leads here, not a form: our policy lets forms go nowhere but to this site."""
    _require_sign_on()
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    then = request.GET.get("next", "")
    if url_has_allowed_host_and_scheme(
        then, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        request.session[THEN] = then
    back_to = request.build_absolute_uri(reverse("accounts:sign-on-return"))
    try:
        return single_sign_on.send_away(request, back_to=back_to)
    except SignOnRefusedError as error:
        return _refused(request, error)


@login_not_required
@require_safe
def come_back(request: HttpRequest) -> HttpResponse:
    _require_sign_on()
    try:
        claims = single_sign_on.claims_of(request)
        person = single_sign_on.person_for(claims, address=client_address(request))
    except SignOnRefusedError as error:
        return _refused(request, error)
    then = request.session.pop(THEN, "")
    request.login_way = sessions.SINGLE_SIGN_ON  # type: ignore[attr-defined]
    login(request, person, backend=LOGS_IN)
    return redirect(then or resolve_url(settings.LOGIN_REDIRECT_URL))


def _require_sign_on() -> None:
    if not settings.OIDC_ISSUER:
        raise Http404("There is no single sign-on here.")


def _refused(request: HttpRequest, error: SignOnRefusedError) -> HttpResponse:
    record(
        "login.refused",
        actor=None,
        target=error.person.username if error.person else UNKNOWN_NAME,
        target_id=error.person.pk if error.person else "",
        details={"by": sessions.SINGLE_SIGN_ON, "because": error.because},
        address=client_address(request),
    )
    return render(request, "accounts/refused.html", {"error": error}, status=403)

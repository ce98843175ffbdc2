"""One's own tokens: made, seen, revoked."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from feedback_app.accounts.addresses import client_address
from feedback_app.accounts.forms import TokenForm
from feedback_app.accounts.models import Token, User
from feedback_app.accounts.tokens import make_token, revoke_token
from feedback_app.remedies import complain, tell
from generation.errors import RemediableError


@require_http_methods(["GET", "HEAD", "POST"])
def list_tokens(request: HttpRequest) -> HttpResponse:
    """Shows the list with the form; a new token is in the answer once and nowhere else."""
    owner = cast("User", request.user)
    form = TokenForm(request.POST or None, owner=owner)
    made = ""
    if request.method == "POST" and form.is_valid():
        try:
            _, made = make_token(
                form.request(), owner=owner, by=owner, address=client_address(request)
            )
        except RemediableError as error:
            complain(form, None, error)
        else:
            form = TokenForm(owner=owner)
    context = {"form": form, "made": made, "tokens": Token.objects.filter(user=owner)}
    return render(request, "accounts/tokens.html", context, status=400 if form.errors else 200)


@require_POST
def revoke(request: HttpRequest, public_id: UUID) -> HttpResponse:
    owner = cast("User", request.user)
    token = get_object_or_404(Token, public_id=public_id, user=owner)
    try:
        revoke_token(token, by=owner, address=client_address(request))
    except RemediableError as error:
        tell(request, error)
    else:
        messages.success(request, f"The token “{token.name}” opens nothing any more.")
    return redirect("accounts:tokens")

"""Tokens of the REST API: who makes them, what they open, when they are over."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback_app.accounts.models import AuditEvent, Token, User
from feedback_app.accounts.requests import TokenRequest
from feedback_app.accounts.tokens import make_token
from generation.errors import RemediableError

pytestmark = pytest.mark.django_db

RUNS, PEOPLE = "/api/runs/", "/api/people/"


def token_of(owner: User, **asked: Any) -> str:
    request = TokenRequest(**{"name": "script", "role": owner.held_role.value} | asked)
    return make_token(request, owner=owner, by=owner)[1]


def program(token: str) -> Client:
    return Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {token}"})


def status(client: Client, address: str) -> int:
    return int(client.get(address).status_code)


def test_a_token_does_what_its_owner_may_and_no_more(rosa: User, cora: User, ada: User) -> None:
    for owner, asked, runs, people in (
        (rosa, {}, 403, 403),
        (cora, {}, 200, 403),
        (ada, {}, 200, 200),
        (ada, {"role": "coordinator", "name": "less"}, 200, 403),
        (ada, {"role": "reader", "name": "least"}, 403, 403),
    ):
        client = program(token_of(owner, **asked))
        assert (status(client, RUNS), status(client, PEOPLE)) == (runs, people), (owner, asked)
    with pytest.raises(RemediableError, match="no admin"):
        token_of(cora, role="admin", name="more")
    client = program(token_of(ada, name="demoted"))
    User.objects.filter(pk=ada.pk).update(role="coordinator")
    assert (status(client, RUNS), status(client, PEOPLE)) == (200, 403)


def test_a_token_opens_no_page_and_needs_no_csrf_token(cora: User, cora_client: Client) -> None:
    client = program(token_of(cora))
    assert status(client, reverse("runs:list")) == 302
    assert status(client, reverse("api:docs")) == 302
    preview = "/api/studies/preview/"
    body: dict[str, Any] = {"name": "A", "nonsense": 1}
    assert client.post(preview, body, content_type="application/json").status_code == 400
    by_session = Client(enforce_csrf_checks=True)
    by_session.force_login(cora)
    refused = by_session.post(preview, body, content_type="application/json")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "permission_denied")


def test_a_token_for_reading_changes_nothing(cora: User) -> None:
    client = program(token_of(cora, is_read_only=True))
    assert status(client, RUNS) == 200
    refused = client.post("/api/batches/", {}, content_type="application/json")
    assert (refused.status_code, "reading alone" in refused.json()["error"]["message"]) == (
        403,
        True,
    )


def test_what_is_over_or_unknown_is_refused_with_a_way_in(cora: User) -> None:
    text = token_of(cora)
    client = program(text)
    assert status(client, RUNS) == 200
    used = Token.objects.get().last_used_at
    assert used is not None
    assert timezone.now() - used < timedelta(minutes=1)
    for change in (
        {"revoked_at": timezone.now()},
        {"revoked_at": None, "expiry": timezone.now() - timedelta(seconds=1)},
    ):
        Token.objects.update(**change)
        refused = client.get(RUNS)
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert refused.json()["error"]["remedy"]
    assert Token.objects.count() == 1  # its owner still sees what there was
    Token.objects.update(expiry=timezone.now() + timedelta(days=1))
    assert status(client, RUNS) == 200
    for field, value in (("must_change_password", True), ("is_active", False)):
        User.objects.filter(pk=cora.pk).update(**{field: value})
        assert status(client, RUNS) == 401
    for wrong in ("", "rr_nonsense", "two words", "\x00", "é"):
        assert status(program(wrong), RUNS) == 401
    assert text not in str(list(Token.objects.values()))


def test_people_make_and_revoke_their_own(cora: User, cora_client: Client, ada: User) -> None:
    address = reverse("accounts:tokens")
    form = {"name": "nightly", "role": "coordinator", "days": "30"}
    made = cora_client.post(address, form)
    (token,) = Token.objects.all()
    assert (token.user, token.role, token.is_read_only) == (cora, "coordinator", False)
    shown = made.content.decode().partition('<code class="password">')[2].partition("<")[0]
    assert status(program(shown), RUNS) == 200
    assert shown not in cora_client.get(address).content.decode()
    assert "already" in cora_client.post(address, form).content.decode()
    wide = cora_client.post(address, form | {"name": "wide", "role": "admin"})
    assert (wide.status_code, Token.objects.count()) == (400, 1)
    token_of(ada)
    others = Token.objects.get(user=ada)
    refused = cora_client.post(reverse("accounts:revoke-token", args=[others.public_id]))
    assert (refused.status_code, others.is_live) == (404, True)
    cora_client.post(reverse("accounts:revoke-token", args=[token.public_id]))
    assert status(program(shown), RUNS) == 401
    of_cora = AuditEvent.objects.filter(actor=cora, target="nightly").order_by("pk")
    assert list(of_cora.values_list("action", flat=True)) == ["token.made", "token.revoked"]


def test_the_command_makes_lists_and_revokes(cora: User) -> None:
    out = StringIO()
    call_command("token", "make", "cora", "cron", role="coordinator", days=7, stdout=out)
    assert status(program(out.getvalue().split()[-1]), RUNS) == 200
    listed = StringIO()
    call_command("token", "list", "cora", stdout=listed)
    assert listed.getvalue().startswith("cron: coordinator; until ")
    call_command("token", "revoke", "cora", "cron", stdout=out)
    assert not Token.objects.live().exists()
    with pytest.raises(CommandError, match="no such token"):
        call_command("token", "revoke", "cora", "cron")
    with pytest.raises(CommandError, match="no admin"):
        call_command("token", "make", "cora", "more", role="admin")

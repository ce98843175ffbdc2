"""What every answer tells browsers to refuse."""

import os
import subprocess
import sys

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from feedback_app.images.cohorts.models import Mask
from feedback_app.local.homes import CHECKOUT
from tests.images.masked import make_masked_cohort

pytestmark = pytest.mark.django_db


def policy_of(client: Client, address: str) -> dict[str, str]:
    parts = client.get(address)["Content-Security-Policy"].split("; ")
    return dict(part.split(" ", 1) for part in parts)


@pytest.mark.parametrize("name", ["accounts:login", "readings:worklist", "accounts:session"])
def test_scripts_come_from_files_of_the_site_alone(rosa_client: Client, name: str) -> None:
    policy = policy_of(rosa_client, reverse(name))
    assert policy["default-src"] == "'self'"
    assert "script-src" not in policy  # default-src holds: neither inline nor eval
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"


def test_browsers_neither_guess_types_nor_tell_other_sites_where_one_was(
    rosa_client: Client,
) -> None:
    response = rosa_client.get(reverse("readings:worklist"))
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Frame-Options"] == "DENY"


def test_with_https_browsers_are_told_to_stay_with_it() -> None:
    names = "SESSION_COOKIE_SECURE, CSRF_COOKIE_SECURE, SECURE_SSL_REDIRECT, SECURE_HSTS_SECONDS"
    told = subprocess.run(
        [sys.executable, "-c", f"from feedback_app.settings import *; print({names})"],
        cwd=CHECKOUT,
        env={**os.environ, "HTTPS_ONLY": "true", "HSTS_SECONDS": "60"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["True", "True", "True", "60"]


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500"])
def test_error_pages_need_no_request(name: str) -> None:
    page = render_to_string(f"{name}.html")
    assert "Start page" in page
    assert "Log out" not in page


def test_an_outdated_form_is_told_so(rosa_client: Client) -> None:
    client = Client(enforce_csrf_checks=True, headers={"cookie": ""})
    client.cookies = rosa_client.cookies
    response = client.post(reverse("accounts:logout"))
    assert response.status_code == 403
    assert "This page is out of date" in response.content.decode()


def test_a_page_that_is_not_there_has_the_sites_look(rosa_client: Client) -> None:
    response = rosa_client.get("/nowhere/")
    assert response.status_code == 404
    assert "Your work list" not in response.content.decode()
    assert "Not here" in response.content.decode()


@pytest.mark.parametrize("name", ["accounts:login", "readings:worklist", "home"])
def test_no_cache_keeps_a_page(rosa_client: Client, name: str) -> None:
    response = rosa_client.get(reverse(name), follow=True)
    assert response["Cache-Control"] == "private, no-store"


def test_no_browser_keeps_what_is_of_a_patient(cora_client: Client) -> None:
    cohort = make_masked_cohort(train=1)
    image = cohort.images.get()
    mask = Mask.objects.filter(cohort_image=image).first()
    assert mask is not None
    for name, key in (("images:file", image.pk), ("images:cohort-mask", mask.pk)):
        response = cora_client.get(reverse(name, args=[key]))
        assert (response.status_code, response["Cache-Control"]) == (200, "private, no-store")

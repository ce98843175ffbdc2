"""Model cards are shown as what they are, and never run."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.images.versions.cards import card_at, html_of
from feedback_app.images.versions.services import register_bundled

HOSTILE = """---
license: mit
---
# A model

| a | b |
|---|---|
| 1 | <script>alert(1)</script> |

![x](https://elsewhere.example/pixel.png) [y](javascript:alert(2)) <img src=x onerror=alert(3)>
"""


def test_tables_and_headings_are_shown_and_nothing_of_it_runs_or_is_fetched() -> None:
    shown = html_of(HOSTILE)
    assert "license" not in shown
    assert "<h3>A model</h3>" in shown
    assert "<td>1</td>" in shown
    assert "&lt;script&gt;" in shown
    for part in ("<script", "<img", 'href="javascript'):
        assert part not in shown


def test_a_folder_without_a_card_or_none_at_all_has_none(tmp_path: Path) -> None:
    assert card_at(str(tmp_path)) == ""
    assert card_at("/nowhere/at/all") == ""
    (tmp_path / "README.md").write_bytes(b"# caf\xe9\n")
    assert card_at(str(tmp_path)) == "<h3>caf\N{REPLACEMENT CHARACTER}</h3>\n"


@pytest.mark.django_db
def test_the_bundled_models_page_has_its_card(cora_client: Client) -> None:
    version = register_bundled()
    page = cora_client.get(reverse("model", args=[version.pk])).content.decode()
    assert "<h3>" in page
    assert "Not for clinical use" in page

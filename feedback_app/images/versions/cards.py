"""Model cards: the README.md that lies beside a version's weights, as a page shows it."""

import re
from collections.abc import Callable
from pathlib import Path

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from feedback_app.images.versions.folders import folder_of
from generation.errors import RemediableError

CARD = "README.md"
CARD_MAX = 40_000
"""Characters of a card that are shown."""
FRONT_MATTER = re.compile(r"\A---\s*\n.*?\n---\s*\n", re.DOTALL)
_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_MARKDOWN.enable("table").disable("image")


def card_at(location: str, *, find: Callable[[str], Path | None] = folder_of) -> SafeString:
    """Return the card beside the weights at a location, as HTML; ``find`` knows the folder.

    Empty where there is no card, or none that can be read.
    """
    try:
        folder = find(location)
        text = (folder / CARD).read_text(encoding="utf-8", errors="replace") if folder else ""
    except (RemediableError, OSError):
        return SafeString("")
    return html_of(text[:CARD_MAX])


def html_of(markdown: str) -> SafeString:
    """Return the HTML of Markdown that anybody may have written.

    Tags in it are shown as text, and images as links; headings begin at the third level.
    """
    tokens = _MARKDOWN.parse(FRONT_MATTER.sub("", markdown, count=1))
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 2, 6)}"
    rendered = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return mark_safe(rendered)  # noqa: S308  markdown-it escapes everything that is not its own

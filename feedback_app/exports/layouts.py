"""Every layout that an archive may have: the formats of curated sets, and preferences."""

from feedback_app.exports import preferences
from feedback_app.exports.formats import FORMATS, Layout

LAYOUTS: dict[str, Layout] = {**FORMATS, preferences.LAYOUT.name: preferences.LAYOUT}


def layout_choices() -> list[tuple[str, str]]:
    return [(layout.name, layout.label) for layout in LAYOUTS.values()]

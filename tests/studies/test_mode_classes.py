"""A mode is one class: who needs to know something of it asks it, and nobody which one it is."""

import re
from pathlib import Path

import pytest

from feedback_app.studies.enums import CriterionKind
from feedback_app.studies.modes import MODES, Mode, mode_choices, mode_of
from feedback_app.studies.scales import STANDARD_SCALES
from feedback_app.studies.services import Design
from generation.errors import RemediableError

ROOT = Path(__file__).parents[2]
SLUGS = re.compile(rf"""["']({"|".join(slug for slug in MODES if slug != "rate")})["']""")


def test_nobody_outside_the_modes_asks_which_mode_it_is() -> None:
    sources = [*ROOT.glob("feedback_app/**/*.py"), *ROOT.glob("templates/**/*.html")]
    asking = [
        str(source.relative_to(ROOT))
        for source in sources
        if source.parent.name not in {"modes", "migrations"}
        and SLUGS.search(source.read_text(encoding="utf-8"))
    ]
    assert asking == []


@pytest.mark.parametrize("slug", MODES)
def test_the_reading_page_and_the_design_form_know_every_mode(slug: str) -> None:
    index = (ROOT / "static/js/reading/modes/index.js").read_text(encoding="utf-8")
    assert re.search(rf"^\s*{slug}: ", index, re.MULTILINE)
    styles = (ROOT / "static/css/studies.css").read_text(encoding="utf-8")
    assert f'[value="{slug}"]:checked) [data-modes]:not([data-modes~="{slug}"])' in styles


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_what_a_mode_asks_without_being_told_can_be_worded_or_is_its_own(mode: Mode) -> None:
    for has_phases in (False, True):
        design = Design(name="November", mode=mode.slug, has_phases=has_phases)
        kinds = {scale.kind for scale in design.criteria()}
        assert kinds <= {mode.kind, CriterionKind.CONFIDENCE}
        assert kinds
        assert len(set(design.flag_names())) == len(design.flag_names())
    assert mode.kind in STANDARD_SCALES


def test_modes_are_offered_in_their_order_with_their_labels() -> None:
    assert mode_choices() == [
        ("rate", "Rate one image"),
        ("rate_k", "Rate several images of one prompt"),
        ("compare", "Compare two images"),
        ("real_or_synthetic", "Tell real from synthetic"),
        ("write_report", "Write a report, from a draft or without one"),
        ("compare_reports", "Compare two reports of one image"),
    ]


def test_a_mode_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(RemediableError, match="“rate_four” is no mode") as refused:
        mode_of("rate_four")
    assert refused.value.remedy == f"Choose one of {', '.join(MODES)}."

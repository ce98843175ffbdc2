"""Two reports of one image: which is better on each criterion, from -10 to 10 points."""

from collections.abc import Iterator
from dataclasses import replace

from feedback_app.studies.enums import CriterionKind
from feedback_app.studies.modes.base import Designed, Mode
from feedback_app.studies.modes.write_report import WriteReport, contradictions_of_priors
from feedback_app.studies.scales import PREFERENCES, Scale


class CompareReports(WriteReport):
    slug = "compare_reports"
    label = "Compare two reports of one image"
    explanation = (
        "Two reports of each image stand left and right by lot. On each criterion the reader "
        "says which is better, from 10 points for the left one over 0 to 10 for the right one."
    )
    kind = CriterionKind.PREFERENCE
    default_scales = PREFERENCES
    words_questions = True
    fields = ("real_cohort", "real_from_training", "cohort_images", "draft_sources", "shows_prior")

    def scales(self, given: tuple[Scale, ...] | None, *, has_phases: bool) -> tuple[Scale, ...]:
        """A preference has no anchors: it is answered by points."""
        asked = Mode.scales(self, given, has_phases=has_phases)
        return tuple(replace(scale, kind=CriterionKind.PREFERENCE, anchors=()) for scale in asked)

    def contradictions(self, design: Designed) -> Iterator[tuple[str, str]]:
        yield from Mode.contradictions(self, design)
        if len(set(design.draft_sources)) != 2:
            yield "draft_sources", "Choose two sources of reports, to be compared."
        yield from contradictions_of_priors(design)
        if design.undrafted_percent:
            yield "undrafted_percent", "A comparison has two reports in every case."

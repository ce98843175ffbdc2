"""Two images side by side: which of them is better on each criterion, and how strongly."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import partial
from uuid import UUID

from feedback_app.images.models import Batch
from feedback_app.studies.enums import CriterionKind
from feedback_app.studies.modes.base import Designed, Mode
from feedback_app.studies.planning import CasePlan, Sample, Source, plan_duels, plan_in_turn
from feedback_app.studies.scales import COMPARISONS, Scale


class Compare(Mode):
    slug = "compare"
    label = "Compare two images"
    explanation = (
        "For each, the reader says which image is better and how strongly, or that both are "
        "equal, or both bad."
    )
    kind = CriterionKind.COMPARISON
    default_scales = COMPARISONS
    fields = ("against",)
    images = 2
    hides_source = True

    def candidates_a_case(self, wanted: int) -> int:
        """The other image may be of a second batch."""
        return 1

    def plan(
        self,
        design: Designed,
        sources: Iterable[Source],
        *,
        against: Batch | None = None,
        seed: int = 0,
        taken: Collection[UUID] = (),
        sample: Sample | None = None,
    ) -> CasePlan:
        """Returns pairs of one prompt; with ``against``, its candidates are in second place."""
        if against is None:
            return super().plan(design, sources, seed=seed, taken=taken, sample=sample)
        duels = partial(plan_duels, against=against)
        return plan_in_turn(sources, duels, taken=taken, sample=sample)

    def scales(self, given: tuple[Scale, ...] | None, *, has_phases: bool) -> tuple[Scale, ...]:
        """A comparison has no anchors: it is answered by a choice."""
        asked = super().scales(given, has_phases=has_phases)
        return tuple(replace(scale, kind=CriterionKind.COMPARISON, anchors=()) for scale in asked)

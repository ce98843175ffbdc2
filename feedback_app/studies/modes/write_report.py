"""A report beside an image: the reader corrects a draft, or writes it from nothing."""

from collections.abc import Collection, Iterable, Iterator
from typing import ClassVar
from uuid import UUID

from feedback_app.images.models import Batch
from feedback_app.studies.drafting import (
    OWN_LABEL,
    OWN_REPORT,
    draw_undrafted,
    plan_of_cohort,
    with_priors,
    with_texts,
)
from feedback_app.studies.enums import CriterionKind
from feedback_app.studies.modes.base import Designed, Mode
from feedback_app.studies.planning import CasePlan, Sample, Source
from feedback_app.studies.scales import REPORT, Scale


class WriteReport(Mode):
    slug = "write_report"
    label = "Write a report, from a draft or without one"
    explanation = (
        "The reader corrects the draft beside the image until they would sign it, or accepts it "
        "as it is, and says why it was changed. Time and edits are kept. Nothing tells where a "
        "draft is from."
    )
    kind = CriterionKind.REPORT
    default_scales: ClassVar[tuple[Scale, ...]] = (REPORT,)
    words_questions = False
    fields: ClassVar[tuple[str, ...]] = (
        "real_cohort",
        "real_from_training",
        "cohort_images",
        "draft_sources",
        "undrafted_percent",
        "shows_prior",
    )
    shows_condition = False  # a prompt says what the report should find
    hides_source = True
    may_show_real = True
    remedy_without_cases = (
        "Choose batches, or a cohort, with images that every source has a report of."
    )
    objection_to_order = "A reward model measures images alone, and the drafts are asked about."

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
        """Returns a case an image of batches and of the cohort, with what is written of it."""
        plan = super().plan(design, sources, against=against, seed=seed, taken=taken, sample=sample)
        if design.real_cohort is not None:
            plan += plan_of_cohort(
                design.real_cohort,
                wanted=design.cohort_images,
                with_training=design.real_from_training,
                sources=design.draft_sources,
                beside={*taken, *plan.image_ids},
                with_prior=design.shows_prior,
                seed=seed,
            )
        drafted = with_texts(plan, design.draft_sources)
        if design.shows_prior:
            drafted = with_priors(drafted)
        return draw_undrafted(drafted, percent=design.undrafted_percent, seed=seed)

    def scales(self, given: tuple[Scale, ...] | None, *, has_phases: bool) -> tuple[Scale, ...]:
        """Returns one question, which no coordinator words."""
        return self.default_scales

    def default_flags(self, *, has_phases: bool) -> tuple[str, ...]:
        """Artefacts are not what is asked about."""
        return ()

    def contradictions(self, design: Designed) -> Iterator[tuple[str, str]]:
        yield from super().contradictions(design)
        if len(design.draft_sources) > 1:
            yield "draft_sources", "A case shows one draft: choose one source, or none."
        yield from contradictions_of_priors(design)
        if design.undrafted_percent and not design.draft_sources:
            yield "undrafted_percent", "Without a source no case has a draft: choose one, or 0 %."

    def facts(self, design: Designed) -> Iterator[tuple[str, str]]:
        if design.real_cohort:
            yield "Images", f"{design.cohort_images} wanted of {design.real_cohort}, and of batches"
        yield "Drafts", ", ".join(map(source_label, design.draft_sources)) or "none"
        if design.shows_prior:
            yield "Beside each image", "an earlier one of the same patient"
        if design.undrafted_percent:
            yield "Without a draft", f"{design.undrafted_percent} % of the cases, by lot"


def contradictions_of_priors(design: Designed) -> Iterator[tuple[str, str]]:
    if design.shows_prior and design.real_cohort is None:
        yield "shows_prior", "Earlier images are a cohort's: choose one whose images are reported."


def source_label(source: str) -> str:
    """Returns what a coordinator reads for a source of drafts."""
    return OWN_LABEL if source == OWN_REPORT else source

"""One image at a time, real or synthetic: how sure a reader is of either.

In two phases every image is scored first, by readers who are not told that some of them are
synthetic; only then are they asked which.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from uuid import UUID

from django.db.models import Model, QuerySet
from django.utils.safestring import mark_safe

from feedback_app.images.models import Batch
from feedback_app.studies.enums import CriterionKind, Phase
from feedback_app.studies.modes.base import Designed, Mode
from feedback_app.studies.modes.rate import Rate
from feedback_app.studies.planning import CasePlan, CasesAdded, Sample, Source, plan_real
from feedback_app.studies.scales import DEFAULT_FLAGS, PROMPT_FLAG, Scale
from generation.errors import RemediableError

REAL_PERCENT = (1, 99)
"""The least and the greatest share of real images: readers need some of both kinds."""

IMAGE_QUALITY = Scale(
    name="Image quality",
    question="How well can this radiograph be read?",
    anchors=(
        "Not at all",
        "Hardly: the main structures are lost",
        "Poorly: a large finding might be missed",
        "Adequately, with reservations",
        "Well, a small weakness somewhere",
        "As well as one could wish",
    ),
)
"""Its words do not tell an unaware reader that some images are synthetic."""

REAL_OR_SYNTHETIC = Scale(
    name="Real or synthetic",
    question="Is this a real radiograph, or was it made by a model?",
    anchors=(
        "Definitely real",
        "Probably real",
        "Cannot tell",
        "Probably synthetic",
        "Definitely synthetic",
    ),
    kind=CriterionKind.CONFIDENCE,
)
"""It is asked by itself, and no coordinator words it."""

TELLTALE_FLAGS = (
    "Excess symmetry",
    "Device that ends nowhere",
    "Garbled text or side marker",
    "Looks like a copy",
)
"""Their names tell that images may be synthetic."""

TELLING = re.compile(
    r"\b(synthe\w*|generat\w*|artificial\w*|fakes?|real|AI|GANs?|diffusion|turing|models?)\b",
    re.IGNORECASE,
)
"""Words that give away, before they are told, what readers of two phases are asked in the end."""

AWARE_NOTE = (
    "From here on you are asked something else: some of these images are synthetic. "
    "Say of each how sure you are."
)
NO_MORE_CASES = (
    "A study in two phases takes no more cases once it is open: who has been told that some "
    "images are synthetic cannot judge unaware."
)


class RealOrSynthetic(Mode):
    slug = "real_or_synthetic"
    label = "Tell real from synthetic"
    explanation = mark_safe(
        "Readers answer in five steps from “Definitely real” to “Definitely synthetic”. In two "
        "phases they first score the image itself: left as they are, the criteria below give way "
        "to a neutral one, <em>Image quality</em>, that tells nothing."
    )
    default_scales = (IMAGE_QUALITY,)
    fields = ("real_cohort", "real_percent", "real_from_training", "has_phases")
    shows_condition = False  # a prompt or a mask belongs to synthetic images alone
    hides_source = True
    may_show_real = True
    objection_to_order = "A reward model measures synthetic images alone: the order would tell."

    def phases(self, design: Designed) -> tuple[Phase, ...]:
        return (Phase.UNAWARE, Phase.AWARE) if design.has_phases else (Phase.ONLY,)

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
        """Returns one candidate a case, and as many real images as make up the wanted share."""
        synthetic = super().plan(
            design, sources, against=against, seed=seed, taken=taken, sample=sample
        )
        if design.real_cohort is None:
            return synthetic
        return synthetic + plan_real(
            design.real_cohort,
            percent=design.real_percent,
            with_training=design.real_from_training,
            beside={*taken, *synthetic.image_ids},
            seed=seed,
        )

    def scales(self, given: tuple[Scale, ...] | None, *, has_phases: bool) -> tuple[Scale, ...]:
        """Only readers who are unaware score the image itself; all say whether it is real."""
        scored = super().scales(given, has_phases=has_phases) if has_phases else ()
        return (*scored, REAL_OR_SYNTHETIC)

    def default_flags(self, *, has_phases: bool) -> tuple[str, ...]:
        left_out = {PROMPT_FLAG, *(TELLTALE_FLAGS if has_phases else ())}
        return tuple(flag for flag in DEFAULT_FLAGS if flag not in left_out)

    def asked_in(self, phase: str) -> CriterionKind | None:
        return {
            Phase.UNAWARE.value: CriterionKind.ORDINAL,
            Phase.AWARE.value: CriterionKind.CONFIDENCE,
        }.get(phase)

    def shown_as(self, phase: str) -> str:
        """While unaware, a reader sees the page of a study that only rates."""
        return Rate.slug if phase == Phase.UNAWARE else self.slug

    def note_of(self, phase: str) -> str:
        return AWARE_NOTE if phase == Phase.AWARE else ""

    def contradictions(self, design: Designed) -> Iterator[tuple[str, str]]:
        least, most = REAL_PERCENT
        if not least <= design.real_percent <= most:
            yield (
                "real_percent",
                f"Choose from {least} to {most} %: readers need some of both kinds.",
            )

    def lacks(self, added: CasesAdded) -> Iterator[str]:
        if added.cases and not added.real:
            yield (
                "No real images yet: choose a cohort that has test or validation images "
                "no smaller than the candidates."
            )

    def require_whole(self, cases: "QuerySet[Model]") -> None:
        """Telling real from synthetic needs some of both."""
        for is_real, kind, remedy in (
            (
                True,
                "real",
                "Choose a cohort with test or validation images no smaller than the candidates.",
            ),
            (False, "synthetic", "Choose a batch with images."),
        ):
            if not cases.filter(images__cohort_image__isnull=not is_real).exists():
                raise RemediableError(f"None of the images is {kind}.", remedy=remedy)

    def refusal_of_more(self, design: Designed) -> str:
        return NO_MORE_CASES if design.has_phases else ""

    def warnings(self, design: Designed) -> Iterator[str]:
        """Yields what two phases show readers too early, and what they take from the
        coordinator.
        """
        if not design.has_phases:
            return
        yield NO_MORE_CASES
        for what, text in (
            ("name says", design.name),
            ("instructions say", design.instructions),
            ("guideline says", design.guideline),
        ):
            if found := TELLING.search(text):
                yield (
                    f"Readers are not told at first that some images are synthetic, but its "
                    f"{what} “{found.group()}”, and they see it from the start."
                )

    def facts(self, design: Designed) -> Iterator[tuple[str, str]]:
        training = (
            "training images allowed"
            if design.real_from_training
            else "never of its training split"
        )
        cohort = design.real_cohort or "no cohort yet"
        yield "Real images", f"{design.real_percent} % wanted, of {cohort}, {training}"
        asked = (
            "Unaware, then aware"
            if design.has_phases
            else ("One: readers are asked which are synthetic")
        )
        yield "Phases", asked

"""What a study mode decides, and what most modes decide."""

from collections.abc import Collection, Iterable
from functools import partial
from typing import ClassVar, Protocol
from uuid import UUID

from django.db.models import Model, QuerySet

from feedback_app.images.models import Batch, Cohort
from feedback_app.studies.enums import CriterionKind, Phase
from feedback_app.studies.planning import (
    CasePlan,
    CasesAdded,
    Sample,
    Source,
    plan_groups,
    plan_in_turn,
)
from feedback_app.studies.scales import DEFAULT_FLAGS, DEFAULT_SCALES, Scale


class Designed(Protocol):
    """What a mode asks of a design, or of the study that was made of one."""

    @property
    def name(self) -> str: ...
    @property
    def instructions(self) -> str: ...
    @property
    def guideline(self) -> str: ...
    @property
    def images_per_case(self) -> int: ...
    @property
    def has_phases(self) -> bool: ...
    @property
    def real_cohort(self) -> Cohort | None: ...
    @property
    def real_percent(self) -> int: ...
    @property
    def real_from_training(self) -> bool: ...
    @property
    def cohort_images(self) -> int: ...
    @property
    def draft_sources(self) -> Collection[str]: ...
    @property
    def undrafted_percent(self) -> int: ...
    @property
    def shows_prior(self) -> bool: ...


class Mode:
    """A mode is one way of asking readers about images; it has no state, so there is one object of
    each.

    Everything that is asked here has an answer that fits one synthetic image, scored on
    ordinal criteria; a mode says what is different with it.
    """

    slug: ClassVar[str]
    label: ClassVar[str]
    """What a case shows, as coordinators read it."""
    explanation: ClassVar[str]
    """What readers are to do, said above the questions of the design form."""

    kind: ClassVar[CriterionKind] = CriterionKind.ORDINAL
    """The kind of the criteria that a coordinator may word."""
    default_scales: ClassVar[tuple[Scale, ...]] = DEFAULT_SCALES
    words_questions: ClassVar[bool] = True
    """Whether a coordinator may word what is asked."""
    fields: ClassVar[tuple[str, ...]] = ()
    """What a coordinator is asked in this mode, and not in every mode."""
    images: ClassVar[int | None] = 1
    """How many images a case shows; None where the design says how many."""
    shows_condition: ClassVar[bool] = True
    """Whether readers see the prompt and the masks that images were made from."""
    asks_none_acceptable: ClassVar[bool] = False
    hides_source: ClassVar[bool] = False
    """Whether results keep back where an image is from until the study is unblinded."""
    may_show_real: ClassVar[bool] = False
    """Whether a case may show a real image, of which readers are not told: none is shown as one."""
    remedy_without_cases: ClassVar[str] = "Choose a batch with images."
    objection_to_order: ClassVar[str] = ""
    """Why a reward model may not choose what comes next; empty where it may."""

    @property
    def takes_second_batch(self) -> bool:
        return "against" in self.fields

    # -- what is planned

    def images_a_case(self, wanted: int) -> int:
        """Returns how many images a whole case shows; ``wanted`` is what the design says."""
        return wanted if self.images is None else self.images

    def candidates_a_case(self, wanted: int) -> int:
        """Returns how many candidates of the first batches a whole case takes at least."""
        return self.images_a_case(wanted)

    def phases(self, design: Designed) -> tuple[Phase, ...]:
        return (Phase.ONLY,)

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
        """Returns the cases that sources give; ``taken`` are the images that are in a case already.

        ``against`` is the second batch, where a mode takes one; ``seed`` says what is drawn.
        """
        return plan_in_turn(
            sources,
            partial(
                plan_groups,
                size=self.images_a_case(design.images_per_case),
                tells_condition=self.shows_condition,
            ),
            taken=taken,
            sample=sample,
        )

    # -- what is asked

    def scales(self, given: tuple[Scale, ...] | None, *, has_phases: bool) -> tuple[Scale, ...]:
        """Returns all criteria that are written down; the mode's own where none are ``given``."""
        return self.default_scales if given is None else given

    def default_flags(self, *, has_phases: bool) -> tuple[str, ...]:
        """Returns the named artefacts to start from: those that make sense and do not tell too
        much.
        """
        return DEFAULT_FLAGS

    def asked_in(self, phase: str) -> CriterionKind | None:
        """Returns the one kind of question that a phase asks; None where it asks all of them."""
        return None

    def shown_as(self, phase: str) -> str:
        """Returns the mode of the reading page that shows a case in this phase."""
        return self.slug

    def note_of(self, phase: str) -> str:
        """Returns what a reader is told before the first case of a phase."""
        return ""

    # -- what is refused, and what a coordinator is told

    def contradictions(self, design: Designed) -> Iterable[tuple[str, str]]:
        """(field, sentence) for each choice that this mode cannot be had with."""
        if design.has_phases:
            yield "has_phases", "Phases are for telling real from synthetic."

    def lacks(self, added: CasesAdded) -> Iterable[str]:
        """Yields what planned cases still need, so that the study can be opened."""
        return ()

    def require_whole(self, cases: "QuerySet[Model]") -> None:
        """Raise ``RemediableError`` where these cases of a draft cannot be opened."""

    def refusal_of_more(self, design: Designed) -> str:
        """Why an open study takes no more candidates; empty where it does."""
        return ""

    def warnings(self, design: Designed) -> Iterable[str]:
        """Yields what a coordinator should think about before the study is opened."""
        return ()

    def describe(self, design: Designed) -> str:
        """Returns what a case shows, with what the design says of it."""
        return self.label

    def facts(self, design: Designed) -> Iterable[tuple[str, str]]:
        """Yields further lines of a study's summary: a term, and what is to be said of it."""
        return ()

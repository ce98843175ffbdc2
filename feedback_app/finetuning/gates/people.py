"""The last word of a gate: people compare child and parent without knowing which is which."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import QuerySet

from feedback_app.accounts.models import User
from feedback_app.finetuning.gates.models import Gate, GateStudy
from feedback_app.readings.models import Choice, Reading, SkipReason
from feedback_app.studies.models import CaseImage, Slot, Study, StudyState
from feedback_app.studies.modes import Compare
from feedback_app.studies.services import Design, add_cases, design_study, open_study
from generation.errors import RemediableError

if TYPE_CHECKING:
    from feedback_app.statistics.preference import Preference

REPEAT_PERCENT = 15
INSTRUCTIONS = (
    "Two images were made for one prompt. Say which of them you would rather teach with, and by "
    "how much; say so where neither is better."
)


@transaction.atomic
def compare_by_people(gate: Gate, *, readers: Sequence[User], actor: User | None) -> Study:
    """Open a blinded study of the gate's pairs, sides shuffled, some of them shown twice.

    Its name tells readers nothing of models.
    """
    Gate.objects.select_for_update(of=("self",)).get(pk=gate.pk)
    known = GateStudy.objects.filter(gate=gate).select_related("study").first()
    if known is not None:
        return known.study
    if not readers:
        raise RemediableError("Nobody was chosen.", remedy="Choose one reader or more.")
    design = Design(
        name=f"Comparison {str(gate.pk)[:8]}",
        mode=Compare.slug,
        instructions=INSTRUCTIONS,
        readers=tuple(readers),
        readers_per_case=len(readers),
        repeat_percent=REPEAT_PERCENT,
    )
    study = design_study(design, created_by=actor)
    add_cases(study, [gate.child_batch], against=gate.parent_batch)
    GateStudy.objects.create(gate=gate, study=study)
    return open_study(study, actor=actor)


@dataclass(frozen=True, kw_only=True)
class PeoplesWord:
    """How far the study is; ``result`` stays None until nothing can be learnt from it too early."""

    study: Study
    read: int
    wanted: int
    is_simulated: bool = False
    result: "Preference | None" = None

    @property
    def can_judge(self) -> bool:
        """Whether people compared all that there is, so that a gate can take them as its judge."""
        return self.result is not None and not self.is_simulated and self.read == self.wanted

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        if self.result is None:
            return f"{self.read} of {self.wanted} comparisons are read."
        who = "Simulated readers" if self.is_simulated else "People"
        decided = self.result.wins + self.result.losses
        if not decided:
            return f"{who} found neither version better in any pair."
        share = self.result.share
        between = f" ({share.low:.1%} to {share.high:.1%})" if share.has_interval else ""
        return (
            f"{who} preferred the child in {share.value:.1%}{between} of {decided} decided "
            f"comparisons; {self.result.ties} were undecided. Sign test over cases: "
            f"p = {self.result.p_value:.3g}."
        )


def peoples_word(gate: Gate) -> PeoplesWord | None:
    """Returns None where no study was asked for; its result once all is read, or the study is
    closed.

    A gate without a study of its own shows the newest one about the same two versions.
    """
    about_both = GateStudy.objects.filter(gate__child=gate.child_id, gate__parent=gate.parent_id)
    links = about_both.select_related("study", "gate__child_batch").order_by("-pk")
    link = links.filter(gate=gate).first() or links.first()
    if link is None:
        return None
    slots = Slot.objects.filter(study=link.study)
    unread = slots.unread().count()
    wanted = slots.count()
    so_far = PeoplesWord(study=link.study, read=wanted - unread, wanted=wanted)
    if unread and link.study.state != StudyState.CLOSED:
        return so_far
    counted, is_simulated = readings_of(link.study)
    return replace(so_far, is_simulated=is_simulated, result=_preferred(link.gate, counted))


def readings_of(study: Study) -> tuple[QuerySet[Reading], bool]:
    """Returns those that count, and whether simulated readers made them: where people read,
    they count.
    """
    readings = (
        Reading.objects.current()
        .standing()
        .filter(slot__study=study, slot__repetition=0, skip_reason=SkipReason.NONE)
    )
    by_people = readings.by_people()
    is_simulated = not by_people.exists()
    return (readings if is_simulated else by_people), is_simulated


def answers_about(study: Study) -> Iterator[tuple[set[UUID], UUID | None]]:
    """Yields for every answer the two images shown, and the better one if there is one."""
    shown: dict[UUID, set[UUID]] = {}
    for case, image in CaseImage.objects.filter(case__study=study).values_list("case", "image"):
        shown.setdefault(case, set()).add(image)
    counted, _ = readings_of(study)
    answers = Choice.objects.filter(reading__in=counted).order_by("pk")
    for case, winner in answers.values_list("reading__slot__case", "image"):
        yield shown[case], winner


def _preferred(gate: Gate, readings: QuerySet[Reading]) -> "Preference":
    """Counts for every answer to every question whether the child won, the parent, or neither."""
    children = set(gate.child_batch.recipes.values_list("candidate", flat=True))
    answers = Choice.objects.filter(reading__in=readings).order_by("pk")
    outcomes, cases = [], []
    for image, case in answers.values_list("image", "reading__slot__case"):
        outcomes.append(0 if image is None else 1 if image in children else -1)
        cases.append(case)
    _, numbers = np.unique([str(case) for case in cases], return_inverse=True)
    from feedback_app.statistics.preference import preference

    return preference(np.array(outcomes, dtype=np.float64), numbers.astype(np.int64))

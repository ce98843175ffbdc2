"""What opening a study would mean, before it is done."""

from collections.abc import Iterable
from dataclasses import dataclass

from feedback_app.images.models import Batch
from feedback_app.studies.models import CaseImage, Study, StudyMode
from feedback_app.studies.services.cases import CasesAdded, plan_cases


@dataclass(frozen=True)
class Preview:
    """``most`` and ``least`` are the readings of the busiest and the idlest reader."""

    added: CasesAdded
    readers: int
    readers_per_case: int

    @property
    def readings(self) -> int:
        return self.added.cases * self.readers_per_case

    @property
    def least(self) -> int:
        return self.readings // self.readers if self.readers else 0

    @property
    def most(self) -> int:
        return -(-self.readings // self.readers) if self.readers else 0

    @property
    def lacks(self) -> list[str]:
        """What still stands in the way of opening."""
        lacks = []
        if not self.added.cases:
            lacks.append("Choose a batch with images.")
        if not self.readers:
            lacks.append("Choose who shall read.")
        elif self.readers < self.readers_per_case:
            lacks.append(
                f"{self.readers_per_case} readers a case are wanted, {self.readers} are chosen."
            )
        return lacks


def preview_design(
    *, mode: StudyMode | str, batches: Iterable[Batch], readers: int, readers_per_case: int
) -> Preview:
    """Of a study that is not saved yet."""
    added, taken = CasesAdded(), frozenset[object]()
    for batch in batches:
        plan = plan_cases(mode, batch, taken=taken)
        added += plan.added
        taken |= {place.recipe.candidate.image_id for case in plan.cases for place in case.places}
    return Preview(added=added, readers=readers, readers_per_case=readers_per_case)


def preview_study(study: Study) -> Preview:
    """Of a saved draft."""
    return Preview(
        added=CasesAdded(
            cases=study.cases.count(),
            images=CaseImage.objects.filter(case__study=study).count(),
        ),
        readers=study.readers.count(),
        readers_per_case=study.readers_per_case,
    )

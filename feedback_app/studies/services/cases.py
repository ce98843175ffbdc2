"""Cases from the candidates of a batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db import transaction
from django.db.models import Max

from feedback_app.images.models import Batch, BatchRecipe
from feedback_app.studies.models import Case, CaseImage, Study, StudyMode
from feedback_app.studies.services.design import require_draft


@dataclass(frozen=True)
class CasesAdded:
    """What became of a batch; nothing is left out without a word."""

    cases: int = 0
    images: int = 0
    left_alone: int = 0
    already_in: int = 0
    not_made_yet: int = 0

    def __add__(self, other: "CasesAdded") -> "CasesAdded":
        return CasesAdded(
            cases=self.cases + other.cases,
            images=self.images + other.images,
            left_alone=self.left_alone + other.left_alone,
            already_in=self.already_in + other.already_in,
            not_made_yet=self.not_made_yet + other.not_made_yet,
        )

    @property
    def warnings(self) -> list[str]:
        """What a coordinator should know about the images that are not in."""
        return [
            sentence
            for count, sentence in (
                (self.left_alone, f"{self.left_alone} left out: alone, with none to compare with."),
                (self.already_in, f"{self.already_in} left out: already in another case."),
                (self.not_made_yet, f"{self.not_made_yet} left out: not generated yet."),
            )
            if count
        ]


@dataclass(frozen=True)
class PlannedCase:
    prompt: str
    places: tuple[BatchRecipe, ...]


@dataclass(frozen=True)
class CasePlan:
    cases: tuple[PlannedCase, ...]
    added: CasesAdded


def plan_cases(
    mode: StudyMode | str, batch: Batch, *, taken: frozenset[object], images_per_case: int = 4
) -> CasePlan:
    """Cases that a batch gives; ``taken`` are the ids of images that are in a case already."""
    places = (
        BatchRecipe.objects.filter(batch=batch)
        .select_related("recipe__candidate")
        .order_by("prompt_index", "position")
    )
    made = [place for place in places if hasattr(place.recipe, "candidate")]
    free = [place for place in made if place.recipe.candidate.image_id not in taken]
    groups = _groups(free, size=1 if mode == StudyMode.RATE else images_per_case)
    whole = [group for group in groups if mode == StudyMode.RATE or len(group) > 1]
    added = CasesAdded(
        cases=len(whole),
        images=sum(map(len, whole)),
        left_alone=len(groups) - len(whole),
        already_in=len(made) - len(free),
        not_made_yet=len(places) - len(made),
    )
    return CasePlan(
        cases=tuple(PlannedCase(group[0].recipe.prompt, tuple(group)) for group in whole),
        added=added,
    )


def _groups(places: Sequence[BatchRecipe], *, size: int) -> list[list[BatchRecipe]]:
    """Candidates of one prompt, ``size`` at a time; the last group may be smaller."""
    groups: list[list[BatchRecipe]] = []
    for _, of_prompt in groupby(places, key=lambda place: place.prompt_index):
        same = list(of_prompt)
        groups += [same[start : start + size] for start in range(0, len(same), size)]
    return groups


@transaction.atomic
def add_cases_from_batch(study: Study, batch: Batch) -> CasesAdded:
    """Write out the cases that a batch gives; a second call adds only what is new."""
    study = Study.objects.select_for_update().get(pk=study.pk)
    require_draft(study)
    taken = frozenset(CaseImage.objects.filter(case__study=study).values_list("image", flat=True))
    plan = plan_cases(study.mode, batch, taken=taken, images_per_case=study.images_per_case)
    last = study.cases.aggregate(last=Max("position"))["last"]
    first = 0 if last is None else last + 1
    cases = Case.objects.bulk_create(
        Case(study=study, position=first + offset, prompt=planned.prompt)
        for offset, planned in enumerate(plan.cases)
    )
    CaseImage.objects.bulk_create(
        CaseImage(case=case, image_id=place.recipe.candidate.image_id, position=position)
        for case, planned in zip(cases, plan.cases, strict=True)
        for position, place in enumerate(planned.places)
    )
    return plan.added

"""What opening a study would mean, before it is done."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from operator import itemgetter
from random import Random
from typing import TypeVar
from uuid import UUID

from django.db.models import QuerySet

from feedback_app.images.models import Batch
from feedback_app.studies.models import CaseImage, CaseOrder, CaseRole, Study
from feedback_app.studies.modes import mode_of
from feedback_app.studies.planning import CasesAdded
from feedback_app.studies.services.active import count_measured
from feedback_app.studies.services.assignment import assign_readers, concurrence
from feedback_app.studies.services.budget import Pace, pace_of
from feedback_app.studies.services.cases import images_that_teach, plan_draft
from feedback_app.studies.services.design import Design, contradictions
from feedback_app.studies.services.ordering import can_repeat, repeat_count

SAMPLES = 4
Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class Preview:
    """``loads`` are the different cases of each reader, ``together`` those of each pair.

    In a pool they are what an even share would give. ``samples`` are the images of some cases.
    ``unmeasured`` are the cases that an active order knows nothing of, None in any other.
    """

    added: CasesAdded
    readers: int
    readers_per_case: int
    shared: int
    gold: int
    loads: tuple[int, ...]
    together: tuple[int, ...]
    repeats: tuple[int, ...]
    phases: int
    pace: Pace
    is_pool: bool
    exploration_percent: int
    unmeasured: int | None
    lacks: tuple[str, ...]
    warnings: tuple[str, ...]
    samples: tuple[tuple[UUID, ...], ...]

    @property
    def per_reader(self) -> list[int]:
        """Readings of each reader, repeats and phases counted."""
        return [
            self.phases * (load + again)
            for load, again in zip(self.loads, self.repeats, strict=True)
        ]

    @property
    def readings(self) -> int:
        if not self.readers:
            return 0
        if self.is_pool:
            ordinary = self.added.cases - self.shared
            return ordinary * self.readers_per_case + self.shared * self.readers
        return sum(self.per_reader)

    @property
    def least(self) -> int:
        return min(self.per_reader, default=0)

    @property
    def most(self) -> int:
        return max(self.per_reader, default=0)

    @property
    def hours(self) -> float:
        return self.readings * self.pace.seconds / 3600

    @property
    def hours_a_reader(self) -> float:
        """Returns the hours of the busiest reader."""
        return self.most * self.pace.seconds / 3600

    @property
    def least_together(self) -> int | None:
        return min(self.together, default=None)

    @property
    def most_together(self) -> int | None:
        return max(self.together, default=None)

    @property
    def hints(self) -> list[str]:
        """What will not be known, or not be had, with this design, though it can be opened."""
        hints = list(self.warnings)
        if self.unmeasured:
            hints.append(
                f"{self.unmeasured} of {self.added.cases} cases have not been measured by this "
                "reward model: they come by lot alone. manage.py measure fills the gap."
            )
        if self.together and not min(self.together):
            hints.append(
                "Some pairs of readers share no case: how far they agree cannot be told. "
                "Add readers a case, or anchors."
            )
        return hints


def preview_design(
    design: Design,
    batches: Iterable[Batch] = (),
    *,
    against: Batch | None = None,
    draft: Study | None = None,
) -> Preview:
    """Previews a design that is not saved yet.

    Of a ``draft`` that it rewrites, what trains its readers is no case.
    """
    taken = images_that_teach(draft) if draft else frozenset()
    seed = design.shuffle_seed or 0
    plan = plan_draft(design, batches, against=against, seed=seed, taken=taken)
    return _preview(
        design,
        added=plan.added,
        anchors=design.anchor_count,
        gold=0,
        readers=len(design.readers),
        samples=tuple(case.images for case in _spaced(plan.cases)),
        unmeasured=_count_unmeasured(design, [case.images for case in plan.cases]),
    )


def preview_study(study: Study) -> Preview:
    """Previews a saved draft."""
    images = CaseImage.objects.filter(case__study=study)
    cases = study.cases.all()
    count = cases.count()
    shown = _spaced(range(count))
    samples = [
        tuple(images.filter(case__position=position).values_list("image", flat=True))
        for position in shown
    ]
    return _preview(
        study,
        added=CasesAdded(
            cases=count,
            images=images.count(),
            real=images.filter(image__cohort_image__isnull=False).count(),
        ),
        anchors=max(study.anchor_count, cases.filter(role=CaseRole.ANCHOR).count()),
        gold=cases.filter(role=CaseRole.GOLD).count(),
        readers=study.readers.count(),
        samples=tuple(sample for sample in samples if sample),
        unmeasured=_count_unmeasured(study, _images_of_cases(images)) if study.is_active else None,
    )


def _images_of_cases(places: QuerySet[CaseImage]) -> list[list[UUID]]:
    rows = places.order_by("case").values_list("case", "image")
    return [[image for _, image in of_case] for _, of_case in groupby(rows, key=itemgetter(0))]


def _count_unmeasured(
    design: Design | Study, images_of_cases: Sequence[Sequence[UUID]]
) -> int | None:
    if design.case_order != CaseOrder.ACTIVE or design.reward_model is None:
        return None
    return len(images_of_cases) - count_measured(images_of_cases, design.reward_model)


def _preview(
    design: Design | Study,
    *,
    added: CasesAdded,
    anchors: int,
    gold: int,
    readers: int,
    samples: tuple[tuple[UUID, ...], ...],
    unmeasured: int | None,
) -> Preview:
    shared = min(anchors + gold, added.cases)
    loads, together = _shares(
        added.cases - shared, shared=shared, readers=readers, per_case=design.readers_per_case
    )
    mode = mode_of(design.mode)
    percent = design.repeat_percent
    return Preview(
        added=added,
        readers=readers,
        readers_per_case=design.readers_per_case,
        shared=shared,
        gold=gold,
        loads=loads,
        together=together,
        repeats=tuple(repeat_count(load, percent=percent) for load in loads),
        phases=len(mode.phases(design)),
        pace=pace_of(mode.slug, images_per_case=design.images_per_case),
        is_pool=design.allocation == "pool",
        exploration_percent=design.exploration_percent,
        unmeasured=unmeasured,
        lacks=tuple(_lacks(design, added=added, anchors=anchors, readers=readers, loads=loads)),
        warnings=tuple(mode.warnings(design)),
        samples=samples,
    )


def _shares(
    ordinary: int, *, shared: int, readers: int, per_case: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if readers < per_case or not readers:
        return (), ()
    blocks = assign_readers(ordinary, readers, per_case=per_case, rng=Random(0))
    matrix = concurrence(blocks, reader_count=readers)
    return (
        tuple(matrix[reader][reader] + shared for reader in range(readers)),
        tuple(matrix[one][two] + shared for one, two in combinations(range(readers), 2)),
    )


def _lacks(
    design: Design | Study,
    *,
    added: CasesAdded,
    anchors: int,
    readers: int,
    loads: Sequence[int],
) -> list[str]:
    """Returns what still stands in the way of opening."""
    lacks = [sentence for _, sentence in contradictions(design)]
    if not added.cases:
        lacks.append(mode_of(design.mode).remedy_without_cases)
    lacks += mode_of(design.mode).lacks(added)
    if not readers:
        lacks.append("Choose who shall read.")
    elif readers < design.readers_per_case:
        lacks.append(f"{design.readers_per_case} readers a case are wanted, {readers} are chosen.")
    if anchors > added.cases > 0:
        lacks.append(f"{anchors} anchors are wanted, and there are {added.cases} cases.")
    if design.repeat_percent and loads:
        least = min(loads)
        if not can_repeat(least, min_gap=design.repeat_min_gap):
            lacks.append(
                f"A reader has {least} cases: none can come again {design.repeat_min_gap} "
                f"cases later. Choose a gap of at most {least}, or leave out repeats."
            )
    return lacks


def _spaced(items: Sequence[Item]) -> list[Item]:
    step = max(1, len(items) // SAMPLES)
    return list(items[::step][:SAMPLES])

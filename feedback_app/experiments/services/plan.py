"""What starting an experiment would mean: its grid, its cost, and why it may be refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from feedback_app.curation.models import CuratedSet
from feedback_app.experiments.labels import ARM_LABELS
from feedback_app.experiments.models import Experiment, ExperimentSource
from feedback_app.experiments.services.costs import CellCost, cost_of_cell
from feedback_app.experiments.services.design import MAX_CELLS, Design, SourceRef, design_of
from feedback_app.experiments.services.grid import Place, columns_of, grid_of
from feedback_app.experiments.services.leaks import leaks
from feedback_app.experiments.services.lineage import Behind, behind
from feedback_app.experiments.services.manifests import real_rows, synthetic_rows
from feedback_app.experiments.services.own_generators import cost_of_generator, lacks_own
from feedback_app.experiments.services.regimes import ArmRegime, in_words, regimes_of
from feedback_app.experiments.services.subsets import Subsets
from feedback_app.experiments.services.supply import (
    RealSupply,
    Refusal,
    lacks_real,
    lacks_synthetic,
    usable_synthetic,
)
from feedback_app.experiments.statistics.predictions import MIN_PATIENTS, MIN_SEEDS
from feedback_app.exports.models import Export
from feedback_app.images.models import Batch, Cohort
from generation.errors import RemediableError
from generation.specs import OWN_GENERATOR, TrainingImage

ROWS: Mapping[str, type[Batch | CuratedSet | Export]] = {
    "batch": Batch,
    "curated_set": CuratedSet,
    "export": Export,
}


@dataclass(frozen=True, kw_only=True)
class ArmSource:
    """An arm's source, what stands behind it, and those of its images that can be used."""

    source: ExperimentSource
    behind: tuple[Behind, ...]
    rows: tuple[TrainingImage, ...]

    @property
    def label(self) -> str:
        return ARM_LABELS[self.source.arm]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """``subsets`` are of all the cohort's images; nothing here is stored."""

    design: Design
    places: tuple[Place, ...]
    cost: CellCost
    generator_cost: CellCost
    supply: RealSupply
    subsets: Subsets
    sources: tuple[ArmSource, ...]
    regimes: tuple[ArmRegime, ...]
    refusals: tuple[Refusal, ...]
    cautions: tuple[str, ...]

    @property
    def cell_count(self) -> int:
        return len(self.places)

    @property
    def generator_count(self) -> int:
        """How many generators are trained before cells of theirs: one a size and seed."""
        own = [place for place in self.places if place.arm == OWN_GENERATOR]
        return len({(place.real_size, place.seed) for place in own})

    @property
    def cells_seconds(self) -> float:
        return self.cell_count * self.cost.seconds

    @property
    def generators_seconds(self) -> float:
        return self.generator_count * self.generator_cost.seconds

    @property
    def seconds(self) -> float:
        return self.cells_seconds + self.generators_seconds

    @property
    def regime(self) -> str:
        return in_words([one.as_json for one in self.regimes])

    @property
    def columns(self) -> list[tuple[str, list[int]]]:
        """Returns arms at their ratios, with the synthetic images of a cell of each size."""
        return [
            (
                name,
                [
                    Place(arm=arm, real_size=size, ratio=ratio, seed=0).synthetic_count
                    for size in self.design.real_sizes
                ],
            )
            for arm, ratio, name in columns_of(self.design)
        ]

    @property
    def can_start(self) -> bool:
        return not self.refusals


def plan_of(design: Design) -> Plan:
    """Everything that is known before the first cell; refusals are listed, not raised."""
    cohort = cohort_of(design)
    subsets = Subsets.of(real_rows(cohort), design)
    supply = RealSupply.of(subsets.rows, design)
    sources = [arm_source(ref, design=design, cohort=cohort) for ref in design.sources]
    refusals = [*lacks_real(supply, design), *lacks_own(design, supply)]
    for one in sources:
        arm = one.source.arm
        refusals += lacks_synthetic(one.rows, arm=arm, design=design)
        refusals += lacks_fine_tune(one)
        refusals += leaks(one.source, one.behind, cohort=cohort, vouching=design.vouching)
    places = grid_of(design)
    if len(places) > MAX_CELLS:
        refusals.append(
            Refusal(f"{len(places):,} cells are more than the {MAX_CELLS:,} allowed.", "Take less.")
        )
    regimes = (
        []
        if refusals
        else regimes_of(design, {one.source.arm: one.behind for one in sources}, subsets)
    )
    return Plan(
        design=design,
        places=tuple(places),
        cost=cost_of_cell(design),
        generator_cost=cost_of_generator(design),
        supply=supply,
        subsets=subsets,
        sources=tuple(sources),
        regimes=tuple(regimes),
        refusals=tuple(dict.fromkeys(refusals)),
        cautions=tuple(cautions_of(design, supply)),
    )


def plan_of_experiment(experiment: Experiment) -> Plan:
    return plan_of(design_of(experiment))


def cohort_of(design: Design) -> Cohort:
    cohort = Cohort.objects.filter(name=design.cohort).first()
    if cohort is None:
        raise RemediableError(
            f"There is no cohort {design.cohort!r}.", remedy="Import it, or name another one."
        )
    return cohort


def arm_source(ref: SourceRef, *, design: Design, cohort: Cohort) -> ArmSource:
    source = unsaved_source(ref)
    rows = usable_synthetic(synthetic_rows(source, cohort=cohort), design)
    return ArmSource(source=source, behind=tuple(behind(source)), rows=tuple(rows))


def unsaved_source(ref: SourceRef) -> ExperimentSource:
    """Returns a row of the source that a design names; raises where there is none, or it is not
    made.
    """
    try:
        row = ROWS[ref.kind].objects.filter(pk=ref.id).first()
    except ValidationError:  # no UUID
        row = None
    what = ref.kind.replace("_", " ")
    if row is None:
        raise RemediableError(
            f"There is no {what} {ref.id} for the arm “{ARM_LABELS[ref.arm]}”.",
            remedy="Name one by its id: its page has it in the address.",
        )
    if isinstance(row, Export) and row.curated_set_id is None:
        raise RemediableError(
            f"The export {ref.id} is one of preferences, which no classifier learns from.",
            remedy="Name an export of a curated set.",
        )
    if isinstance(row, Export) and row.blob_id is None:
        raise RemediableError(
            f"The export {ref.id} has no archive yet.", remedy="Wait for it, or export again."
        )
    return ExperimentSource(arm=ref.arm, **{ref.kind: row})


def lacks_fine_tune(one: ArmSource) -> list[Refusal]:
    """The arm of a fine-tuned model takes images of such a one, or it would test another thing."""
    if one.source.arm != "finetuned_curated":
        return []
    others = one.source.candidates().filter(recipe__model_version__fine_tune=None).count()
    if not others:
        return []
    return [
        Refusal(
            f"{ARM_LABELS[one.source.arm]}: {others} images of {one.source.title} were made by a "
            "version that no readings taught.",
            "Curate a set from batches of a fine-tuned version.",
        )
    ]


def cautions_of(design: Design, supply: RealSupply) -> Sequence[str]:
    """Returns what does not stand in the way, and may leave everything undecided."""
    said: list[str] = []
    if len(design.seeds) < MIN_SEEDS:
        said.append(
            f"{len(design.seeds)} seeds: with fewer than {MIN_SEEDS}, nothing can be concluded."
        )
    patients = supply.patients.get("test", 0)
    if patients < MIN_PATIENTS:
        said.append(
            f"{patients} test patients: with fewer than {MIN_PATIENTS}, nothing can be concluded."
        )
    if "transformed" not in design.arms:
        said.append(
            "Without the arm of transformed real images, a gain may be owed to more images alone."
        )
    return said


def lineage_as_json(plan: Plan) -> dict[str, Any]:
    """Returns what is frozen when an experiment starts."""
    return {
        "regimes": [one.as_json for one in plan.regimes],
        "behind": {
            one.source.arm: [
                {
                    "role": thing.role,
                    "name": thing.name,
                    "seen": None if thing.seen is None else thing.seen.count(),
                    "outside": thing.outside,
                }
                for thing in one.behind
            ]
            for one in plan.sources
        }
        | _behind_own(plan.design),
        "strata": dict(plan.supply.strata),
        "images": dict(plan.supply.images),
        "patients": dict(plan.supply.patients),
    }


def _behind_own(design: Design) -> dict[str, Any]:
    if OWN_GENERATOR not in design.arms:
        return {}
    name = "of each cell, which saw its {} real images and no other"
    return {
        OWN_GENERATOR: [
            {"role": "generator", "name": name.format(size), "seen": size, "outside": ""}
            for size in design.real_sizes
        ]
    }

"""The power of a design, by the variance that earlier experiments of its kind showed."""

from dataclasses import dataclass

from feedback_app.experiments.models import Experiment, ExperimentState
from feedback_app.experiments.report.cache import figures_for, state_of
from feedback_app.experiments.services.design import Design
from feedback_app.experiments.services.plan import Plan
from feedback_app.experiments.statistics.conclusions import ALPHA
from feedback_app.experiments.statistics.headroom import Headroom
from feedback_app.experiments.statistics.metrics import METRICS
from feedback_app.experiments.statistics.power import Components, Planner

LOOKED_AT = 3
ASSUMED = Components(of_seed=0.05**2, of_patient=0.3**2, together=0.5**2)
"""Variances of macro F1 and Dice, between few real images alone and with synthetic ones."""


@dataclass(frozen=True, kw_only=True)
class Power:
    """Gains found in 80 % of such experiments, and what a gain that is wanted needs.

    ``primary`` is by the comparison named before the run, ``others`` by one of all
    ``comparisons``; seeds and patients are for the primary one. ``earlier`` names experiments
    whose variance is behind it; none where it is assumed.
    """

    metric: str
    unit: str
    seeds: int
    patients: int
    comparisons: int
    primary: float
    others: float
    wanted: float | None
    seeds_needed: int | None
    patients_needed: int | None
    earlier: tuple[str, ...]

    @property
    def is_enough(self) -> bool:
        return self.wanted is not None and self.primary <= self.wanted


@dataclass(frozen=True, kw_only=True)
class Room:
    """How much there was to gain in the newest experiment of this kind on this cohort."""

    earlier: str
    least: Headroom
    most: Headroom


def room_of(design: Design) -> Room | None:
    """Returns None where no experiment of the same figure of the same thing was finished here."""
    same = Experiment.objects.filter(
        state=ExperimentState.FINISHED,
        cohort__name=design.cohort,
        metric=design.metric,
        findings=list(design.findings),
        mask_kind=design.mask_kind,
    )
    newest = same.order_by("-finished_at").first()
    found = figures_for(newest, state=state_of(newest)).headroom if newest else ()
    if newest is None or not found:
        return None
    return Room(earlier=newest.name, least=found[0], most=found[-1])


def power_of(plan: Plan, *, wanted: float | None = None) -> Power | None:
    """Returns None where it can be said of no figure: too few patients, or a distance never
    measured.
    """
    design = plan.design
    patients = plan.supply.patients.get("test", 0)
    seeds, metric = len(design.seeds), METRICS[design.metric]
    earlier = earlier_of(design)
    if patients < 2 or (metric.less_is_better and not earlier):
        return None
    planner = Planner(Components.mean([one for _, one in earlier]) if earlier else ASSUMED)
    comparisons = len(design.real_sizes) * (len(plan.columns) - 1)
    at = {"seeds": seeds, "patients": patients}
    asked = wanted if wanted and wanted > 0 else None
    return Power(
        metric=metric.label,
        unit=metric.unit,
        seeds=seeds,
        patients=patients,
        comparisons=comparisons,
        primary=planner.detectable(**at, alpha=ALPHA),
        others=planner.detectable(**at, alpha=ALPHA / comparisons),
        wanted=asked,
        seeds_needed=planner.seeds_for(asked, patients=patients, alpha=ALPHA) if asked else None,
        patients_needed=planner.patients_for(asked, seeds=seeds, alpha=ALPHA) if asked else None,
        earlier=tuple(name for name, _ in earlier),
    )


def earlier_of(design: Design) -> list[tuple[str, Components]]:
    """Returns the last experiments by the same figure, on the same cohort before others."""
    done = Experiment.objects.filter(
        state=ExperimentState.FINISHED, task=design.task, metric=design.metric
    ).select_related("cohort")
    ordered = sorted(done[: 10 * LOOKED_AT], key=lambda one: one.cohort.name != design.cohort)
    found = []
    for one in ordered[:LOOKED_AT]:
        primary = figures_for(one, state=state_of(one)).primary
        if primary is None or not primary.gain.is_enough or primary.gain.spread is None:
            continue
        components = Components.of(primary.gain.spread, patients=primary.gain.patients)
        found.append((one.name, components))
    return found

"""Creating, starting, pausing, resuming and cancelling experiments, and retrying their cells."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.experiments.models import (
    Cell,
    CellResult,
    Experiment,
    ExperimentState,
)
from feedback_app.experiments.services import own_generators
from feedback_app.experiments.services.cells import content_hash, finish_if_done
from feedback_app.experiments.services.design import Design
from feedback_app.experiments.services.grid import Place
from feedback_app.experiments.services.manifests import content_of, freeze
from feedback_app.experiments.services.plan import (
    Plan,
    cohort_of,
    lineage_as_json,
    plan_of_experiment,
    unsaved_source,
)
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run, State
from generation.downstream.cell_hash import as_text
from generation.errors import RemediableError
from generation.specs import OWN_GENERATOR

QUEUED_WITH = ("run", "experiment", "own_generator__run")
PRIORITY = -10
"""Below everything that somebody waits for."""


@transaction.atomic
def create_experiment(design: Design, *, created_by: User | None = None) -> Experiment:
    """Returns a draft; nothing is trained before it is started."""
    return _write_draft(Experiment(created_by=created_by), design)


@transaction.atomic
def change_draft(experiment: Experiment, design: Design) -> Experiment:
    """Returns the draft as it is designed now; one that was started stays as it was designed."""
    locked = Experiment.objects.select_for_update(of=("self",)).get(pk=experiment.pk)
    if not locked.is_draft:
        raise RemediableError(
            f"“{locked}” was started: its design is settled.", remedy="Make a new experiment."
        )
    locked.sources.all().delete()
    return _write_draft(locked, design)


def _write_draft(experiment: Experiment, design: Design) -> Experiment:
    if Experiment.objects.filter(name=design.name).exclude(pk=experiment.pk).exists():
        raise RemediableError(
            f"There is an experiment “{design.name}” already.", remedy="Choose another name."
        )
    experiment.name = design.name
    experiment.task = design.task
    experiment.cohort = cohort_of(design)
    experiment.findings = list(design.findings)
    experiment.mask_kind = design.mask_kind
    experiment.real_sizes = list(design.real_sizes)
    experiment.arms = list(design.arms)
    experiment.ratios = list(design.ratios)
    experiment.seeds = list(design.seeds)
    experiment.metric = design.metric
    experiment.primary_arm = design.primary.arm
    experiment.primary_size = design.primary.real_size
    experiment.primary_ratio = design.primary.ratio
    experiment.training = design.as_json["training"]
    experiment.own_generator = design.as_json["own_generator"]
    experiment.vouching = design.vouching
    experiment.save()
    for ref in design.sources:
        source = unsaved_source(ref)
        source.experiment = experiment
        source.save()
    return experiment


def start_experiment(experiment: Experiment, *, actor: User | None = None) -> Plan:
    """Freeze what is learnt from, write out the cells, and queue those that are not known yet."""
    plan = plan_of_experiment(experiment)
    if plan.refusals:
        raise RemediableError(
            " ".join(refusal.message for refusal in plan.refusals),
            remedy=" ".join(dict.fromkeys(refusal.remedy for refusal in plan.refusals)),
        )
    real = freeze(plan.subsets.rows)
    manifests = {one.source.arm: freeze(one.rows) for one in plan.sources}
    with transaction.atomic():
        locked = Experiment.objects.select_for_update(of=("self",)).get(pk=experiment.pk)
        if not locked.is_draft:
            raise RemediableError(
                f"“{locked}” was started already.", remedy="Look at its page for how far it is."
            )
        for arm, manifest in manifests.items():
            locked.sources.filter(arm=arm).update(manifest=manifest)
        locked.real_manifest = real
        locked.lineage = lineage_as_json(plan)
        locked.state = ExperimentState.STARTED
        locked.started_at = timezone.now()
        locked.save()
        _write_cells(locked, plan)
        _queue(locked.cells.left().select_related("own_generator__run"), actor=actor)
        finish_if_done(locked)
        record("experiment.started", actor=actor, target=locked.name, target_id=locked.pk)
    experiment.refresh_from_db()
    return plan


def _write_cells(experiment: Experiment, plan: Plan) -> None:
    """Every cell, with its result where one of the same content is known."""
    real = content_of(plan.subsets.rows)
    synthetic = {one.source.arm: content_of(one.rows) for one in plan.sources}
    own = own_generators.rows_for(plan.design, own_generators.lessons_of(plan.design, plan.subsets))

    def synthetic_of(place: Place) -> str:
        """Returns what the arm's images hold, or what those of an own generator follow from."""
        if place.arm == OWN_GENERATOR:
            return as_text({OWN_GENERATOR: own[place.real_size, place.seed].content_hash})
        return synthetic.get(place.arm, "[]")

    cells = [
        Cell(
            experiment=experiment,
            arm=place.arm,
            real_size=place.real_size,
            ratio=place.ratio,
            seed=place.seed,
            synthetic_count=place.synthetic_count,
            own_generator=(
                own[place.real_size, place.seed] if place.arm == OWN_GENERATOR else None
            ),
            content_hash=content_hash(
                place,
                plan.design,
                plan.subsets,
                real=real,
                synthetic=synthetic_of(place),
            ),
        )
        for place in plan.places
    ]
    known = CellResult.objects.in_bulk([cell.content_hash for cell in cells])
    for cell in cells:
        cell.result = known.get(cell.content_hash)
    Cell.objects.bulk_create(cells)


def _queue(cells: Iterable[Cell], *, actor: User | None) -> None:
    """A run for each of the cells, or its own run again; before it that of its generator."""
    cells = list(cells)
    own_generators.queue((one for cell in cells if (one := cell.own_generator)), actor=actor)
    for cell in cells:
        if cell.run is None:
            cell.run = _start_run(cell, actor=actor)
            cell.save(update_fields=["run"])
        elif not runs.retry(cell.run):  # it runs still, and was to stop
            Run.objects.running().filter(cell=cell).update(cancel_requested=False)


def _start_run(cell: Cell, *, actor: User | None) -> Run:
    own = cell.own_generator
    if own is not None:
        own.refresh_from_db()  # another cell's row of it may have been given the run
    return runs.start(
        "train_cell",
        title=f"{cell.experiment.name}: {cell}",
        spec={"cell": cell.pk, "content_hash": cell.content_hash},
        total=cell.experiment.training["max_steps"],
        priority=PRIORITY,
        after=[own.run] if own is not None and own.run and own.manifest_id is None else [],
        created_by=actor,
    )


@transaction.atomic
def pause_experiment(experiment: Experiment, *, actor: User | None = None) -> None:
    """Take the cells that wait out of the queue; those that are being trained go on."""
    _change(experiment, ExperimentState.PAUSED, allowed={ExperimentState.STARTED})
    for cell in experiment.cells.left().filter(run__state=State.QUEUED).select_related("run"):
        runs.cancel(cell.run)  # type: ignore[arg-type]
    own_generators.stop(experiment, states=[State.QUEUED])
    record("experiment.paused", actor=actor, target=experiment.name, target_id=experiment.pk)


@transaction.atomic
def cancel_experiment(experiment: Experiment, *, actor: User | None = None) -> None:
    """Stop everything; what is done stays, and it can be resumed."""
    _change(
        experiment,
        ExperimentState.CANCELLED,
        allowed={ExperimentState.STARTED, ExperimentState.PAUSED},
    )
    waiting = experiment.cells.left().filter(run__state__in=[State.QUEUED, State.RUNNING])
    for cell in waiting.select_related("run"):
        runs.cancel(cell.run)  # type: ignore[arg-type]
    own_generators.stop(experiment, states=[State.QUEUED, State.RUNNING])
    record("experiment.cancelled", actor=actor, target=experiment.name, target_id=experiment.pk)


@transaction.atomic
def resume_experiment(experiment: Experiment, *, actor: User | None = None) -> None:
    """Queue every cell that is not done, the failed ones too."""
    stopped = {ExperimentState.PAUSED, ExperimentState.CANCELLED}
    _change(experiment, ExperimentState.STARTED, allowed=stopped)
    _queue(experiment.cells.left().select_related(*QUEUED_WITH), actor=actor)
    record("experiment.resumed", actor=actor, target=experiment.name, target_id=experiment.pk)


@transaction.atomic
def retry_failed(experiment: Experiment, *, actor: User | None = None) -> int:
    """Queue the failed and cancelled cells of an experiment that goes on; how many."""
    if not experiment.is_live:
        raise RemediableError(f"“{experiment}” is {experiment.state}.", remedy="Resume it.")
    failed = experiment.cells.left().filter(run__state__in=[State.FAILED, State.CANCELLED])
    cells = list(failed.select_related(*QUEUED_WITH))
    _queue(cells, actor=actor)
    return len(cells)


@transaction.atomic
def retry_cell(cell: Cell) -> None:
    """Queue one failed or cancelled cell again, whatever the experiment's others do."""
    if cell.own_generator is not None:
        own_generators.queue([cell.own_generator], actor=None)
        if cell.run and Run.objects.filter(pk=cell.run.pk, state=State.QUEUED).exists():
            return  # it had failed with its generator, and waits for it again
    if cell.run is None or not runs.retry(cell.run):
        raise RemediableError(
            f"The cell “{cell}” is {cell.state}.", remedy="Only failed and cancelled ones retry."
        )


def cancel_cell(cell: Cell) -> None:
    if cell.run is not None:
        runs.cancel(cell.run)


def delete_draft(experiment: Experiment) -> None:
    if not experiment.is_draft:
        raise RemediableError(
            f"“{experiment}” was started: what it found is kept.", remedy="Cancel it instead."
        )
    experiment.delete()


def _change(
    experiment: Experiment, state: ExperimentState, *, allowed: set[ExperimentState]
) -> None:
    changed = Experiment.objects.filter(pk=experiment.pk, state__in=allowed).update(state=state)
    if not changed:
        experiment.refresh_from_db()
        raise RemediableError(
            f"“{experiment}” is {experiment.state} and cannot be {state.value}.",
            remedy="Load its page again to see what can be done.",
        )
    experiment.refresh_from_db()

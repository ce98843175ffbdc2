"""Training a cell of an experiment in a child process, and bringing its result in."""

from feedback_app.experiments.models import Cell, OwnGenerator
from feedback_app.experiments.services import own_generators
from feedback_app.experiments.services.cells import (
    attach,
    known_result,
    run_folder,
    take_in,
    write_cell_folder,
)
from feedback_app.runs.children import run_child
from feedback_app.runs.kinds import handles
from feedback_app.runs.progress import Progress

MODULE = "generation.commands.train_cell"
OWN_MODULE = "generation.commands.own_generator"


@handles("own_generator")
def own_generator(progress: Progress) -> dict[str, object]:
    """Train a cell's own generator and make its images; those that are there are kept."""
    row = OwnGenerator.objects.select_related("learnt_from").get(run=progress.run)
    if row.manifest_id is None:
        run_dir = own_generators.run_folder(row)
        own_generators.write_folder(row, run_dir)
        result = run_child(progress, module=OWN_MODULE, run_dir=run_dir)
        own_generators.take_in(row, run_dir, result=result)
    return {"content_hash": row.content_hash, "seconds": row.seconds}


@handles("train_cell")
def train_cell(progress: Progress) -> dict[str, object]:
    """Train what is not known yet; a cell of the same content is trained once."""
    cells = Cell.objects.select_related("experiment__cohort", "experiment__real_manifest", "run")
    cell = cells.get(run=progress.run)
    if known := known_result(cell):
        attach(cell, known)
        return {"content_hash": cell.content_hash, "trained_before": True, **known.figures}
    run_dir = run_folder(cell)
    write_cell_folder(cell, run_dir)
    result = run_child(progress, module=MODULE, run_dir=run_dir)
    kept = take_in(cell, run_dir, result=result)
    return {
        "content_hash": cell.content_hash,
        "seconds": kept.seconds,
        "best_step": kept.best_step,
        **kept.figures,
    }

"""The runs of VLMs: training, instructions, benchmark, questions; and comparing groups."""

from typing import Any

from feedback_app.experiments.models import Experiment
from feedback_app.images.blobs.pixels import pixels_of
from feedback_app.images.scorers.models import Scorer, ScorerKind
from feedback_app.images.scorers.tasks.networks import load_scorer
from feedback_app.images.versions.folders import path_of
from feedback_app.runs.children import run_child
from feedback_app.runs.kinds import handles
from feedback_app.runs.progress import Progress
from feedback_app.vlms.asking import find_with_benchmark
from feedback_app.vlms.building import build_set
from feedback_app.vlms.drafting.writing import keep_written
from feedback_app.vlms.fairness import report_on_experiment, reports_of, said_of, test_images
from feedback_app.vlms.learning.finetunes import finish_vlm_finetune
from feedback_app.vlms.learning.gate_models import VlmGate
from feedback_app.vlms.learning.gates import start_vlm_gate
from feedback_app.vlms.learning.gating import keep_verdict
from feedback_app.vlms.learning.models import VlmFineTune
from feedback_app.vlms.models import BenchmarkResult, ImageQuestion, InstructionSet
from feedback_app.vlms.scoring import score_result
from feedback_app.vlms.services import register_trained
from feedback_app.vlms.set_files import instructions_at_hand
from generation.conditioning.findings import FINDINGS

AT_ONCE = 32
"""Pictures that a scorer is asked of together."""


@handles("train_vlm")
def train_vlm(progress: Progress) -> dict[str, object]:
    result = _child(progress, "train_vlm", is_shared=True)
    version = register_trained(progress.run)
    return {"vlm_version": version.name, **result}


@handles("teach_vlm")
def teach_vlm(progress: Progress) -> dict[str, object]:
    """Train a child in a child process; what is stopped goes on from its checkpoint."""
    row = VlmFineTune.objects.select_related("run", "parent", "version").get(run=progress.run)
    result = _child(progress, "teach_vlm")
    version = finish_vlm_finetune(row)
    return {"vlm_version": version.name, **result}


@handles("ask_vlm_gate")
def ask_vlm_gate(progress: Progress) -> dict[str, object]:
    """Ask the gate of the version that a training gave, once."""
    spec = progress.run.spec
    version = VlmFineTune.objects.get(pk=spec["fine_tune"]).version
    assert version is not None  # the training's run has succeeded
    gate = version.gates.first() or start_vlm_gate(
        version,
        instruction_set=find_with_benchmark(spec["instruction_set"]),
        margin=spec["margin"],
        created_by=progress.run.created_by,
    )
    return {"gate": str(gate.pk)}


@handles("gate_vlm")
def gate_vlm(progress: Progress) -> dict[str, object]:
    """Ask both versions about held-out reports, and compare them; twice gives the same verdict."""
    gate = VlmGate.objects.select_related("child", "parent", "instruction_set").get(
        run=progress.run
    )
    _child(progress, "compare_vlms")
    verdict = keep_verdict(gate)
    return {"decision": verdict.decision}


@handles("build_instructions")
def build_instructions(progress: Progress) -> dict[str, object]:
    row = InstructionSet.objects.get(run=progress.run)
    said = 0

    def tell(line: str) -> None:
        nonlocal said
        said += 1
        progress.log(line)
        progress.update(said, note=line)

    return build_set(row, tell=tell)


@handles("benchmark_vlm")
def benchmark_vlm(progress: Progress) -> dict[str, object]:
    _child(progress, "benchmark_vlm")
    return score_result(BenchmarkResult.objects.get(run=progress.run))


@handles("score_answers")
def score_answers(progress: Progress) -> dict[str, object]:
    return score_result(BenchmarkResult.objects.get(run=progress.run))


@handles("ask_vlm")
def ask_vlm(progress: Progress) -> dict[str, object]:
    answer = _child(progress, "ask_vlm")
    ImageQuestion.objects.filter(run=progress.run).update(answer=answer)
    return answer


@handles("write_drafts")
def write_drafts(progress: Progress) -> dict[str, object]:
    """Let the VLM write in a child process; what is stopped goes on behind the last report."""
    _child(progress, "write_drafts")
    return keep_written(progress.run)


@handles("experiment_fairness")
def experiment_fairness(progress: Progress) -> dict[str, object]:
    experiment = Experiment.objects.get(pk=progress.run.spec["experiment"])
    return {"reports": report_on_experiment(experiment)}


@handles("scorer_fairness")
def scorer_fairness(progress: Progress) -> dict[str, object]:
    scorer = Scorer.objects.select_related("cohort").get(pk=progress.run.spec["scorer"])
    images = test_images(scorer)
    found: list[dict[str, float]] = []
    for start in range(0, len(images), AT_ONCE):
        part = images[start : start + AT_ONCE]
        found += _probabilities(scorer, [pixels_of(row.image) for row in part])
        progress.update(len(found), total=len(images), note="Asking the scorer")
    where = scorer.cohort.name if scorer.cohort else "all cohorts"
    said = said_of(images, found)
    return {"reports": reports_of(f"{scorer.name} on test images of {where}", said)}


def _probabilities(scorer: Scorer, pictures: list[Any]) -> list[dict[str, float]]:
    """Returns what a classifier, or a judge, gives each finding."""
    network = load_scorer(scorer)
    if scorer.kind == ScorerKind.CLASSIFIER:
        rows = network.probabilities(pictures).tolist()
        return [dict(zip(network.config.findings, row, strict=True)) for row in rows]
    return [
        {name: value for name, value in found.items() if name in FINDINGS}
        for found in network.probabilities(pictures)
    ]


def _child(progress: Progress, name: str, *, is_shared: bool = False) -> dict[str, Any]:
    run_dir = path_of(progress.run.spec["run_dir"])
    module = f"generation.commands.{name}"
    with instructions_at_hand(run_dir):
        return run_child(progress, module=module, run_dir=run_dir, is_shared=is_shared)

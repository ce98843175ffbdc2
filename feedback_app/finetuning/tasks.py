"""Fine-tuning and comparing on a GPU worker, and schedules on a CPU worker."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from celery import shared_task
from django.conf import settings
from django.db import transaction

from feedback_app.finetuning.comparison import (
    Match,
    by_both_tastes,
    by_prompt,
    match,
    pixels_of,
)
from feedback_app.finetuning.gates.judges import (
    NO_JUDGE,
    independent_reward_models,
    judged_by_people,
    judged_by_second_taste,
    judged_by_what_taught,
    what_training_says,
)
from feedback_app.finetuning.gates.services import keep_verdict, start_gate
from feedback_app.finetuning.kinds import COUNT
from feedback_app.finetuning.models import FineTune, Gate, GateMasks, RewardModel, Schedule
from feedback_app.finetuning.services import finish_finetune, follow_schedule, take_snapshot
from feedback_app.finetuning.services.masked import count_left_out
from feedback_app.finetuning.services.reward_models import (
    register_reward_model,
    write_reward_run_folder,
)
from feedback_app.finetuning.services.run_folders import write_run_folder
from feedback_app.finetuning.services.schedules import TASK, count_for_run
from feedback_app.images.candidates.conditioning import conditioning_masks
from feedback_app.images.models import Batch, RecipeMask, Scorer, ScorerKind
from feedback_app.images.scorers.services import start_measuring
from feedback_app.images.versions.services import require_weights
from feedback_app.readings.models import Reading
from feedback_app.runs.children import run_child
from feedback_app.runs.kinds import handles
from feedback_app.runs.progress import Progress
from feedback_app.studies.models import Study
from feedback_app.studies.services.active import follow_reward_model
from generation.conditioning.masks import as_kind
from generation.diffusion.loading import BUNDLED_FOLDER
from generation.errors import RemediableError
from generation.measures.features import FeatureNet, as_input, describe_images
from generation.measures.nearest_training_image import NearestTrainingImage
from generation.measures.reference import Reference, load_reference
from generation.quality.diversity import mean_ms_ssim
from generation.quality.gate import Measuring
from generation.quality.gate_rules import MASK_FIDELITY, decide
from generation.quality.judged import Judged
from generation.quality.kid import Kid, kid
from generation.quality.prdc import NEAREST_K, prdc
from generation.specs import BUNDLED, Mode, ModelSource

if TYPE_CHECKING:
    from generation.quality.mask_following import MaskedPictures

MODULE = "generation.commands.finetune"
REWARD_MODULE = "generation.commands.train_reward_model"


@handles("finetune")
def fine_tune(progress: Progress) -> dict[str, object]:
    """Train in a child process and register what it gives; a second call gives the same."""
    rows = FineTune.objects.select_related(
        "snapshot__blob", "parent", "real_cohort", "run", "model_version"
    )
    row = rows.get(pk=progress.run.spec["fine_tune"])
    if row.model_version is not None:
        return {"model_version": row.model_version.name}
    require_weights(row.parent)
    run_dir = settings.RUNS_ROOT / str(progress.run.pk)
    write_run_folder(row, run_dir)
    if left_out := count_left_out(row.snapshot, row.parent):
        progress.log(
            f"{left_out} lines of the snapshot are left out: their images follow masks, and "
            f"{row.parent.name} does not"
        )
    result = run_child(progress, module=MODULE, run_dir=run_dir, is_shared=True)
    curve = result.pop("curve")
    kept = keep_adapter(row, run_dir / "adapter")
    version = finish_finetune(row, adapter=kept, curve=curve)
    progress.log(f"gives the model version {version.name}")
    return {**result, "model_version": version.name}


@handles("ask_gate")
def ask_gate(progress: Progress) -> dict[str, object]:
    """Start the gate of the version that a fine-tune gave, once."""
    version = FineTune.objects.get(pk=progress.run.spec["fine_tune"]).model_version
    assert version is not None  # the fine-tune's run has succeeded
    gate = version.gates.first() or start_gate(version, created_by=progress.run.created_by)
    return {"child": gate.child.name, "prompts": len(gate.asked.prompts)}


def keep_adapter(row: FineTune, made: Path) -> Path:
    """Copy the adapter to the model versions' folder, whole or not at all."""
    kept: Path = settings.MODELS_ROOT / str(row.pk)
    if not kept.exists():
        settings.MODELS_ROOT.mkdir(parents=True, exist_ok=True)
        temporary = Path(mkdtemp(dir=settings.MODELS_ROOT, prefix=".new-"))
        shutil.copytree(made, temporary, dirs_exist_ok=True)
        temporary.chmod(0o755)
        temporary.rename(kept)
    return kept


@handles("compare_versions")
def compare_versions(progress: Progress) -> dict[str, object]:
    """Returns both tastes' win rates, KID to held-out real images, and diversity, of child and
    parent.
    """
    spec = progress.run.spec
    child = Batch.objects.select_related("model_version").get(pk=spec["child"])
    parent = Batch.objects.select_related("model_version").get(pk=spec["parent"])
    matches = match(child=child, parent=parent)
    prompts = [pair.prompt for pair in matches]
    pictures = {
        "child": [pixels_of(pair.child) for pair in matches],
        "parent": [pixels_of(pair.parent) for pair in matches],
    }
    progress.update(len(matches), note="Measuring")
    judge = Judge.load(quality_folder(parent.model_version.source))
    best = spec.get("best")
    return {
        "child": child.model_version.name,
        "parent": parent.model_version.name,
        "tastes": by_both_tastes(prompts=prompts, **pictures),
        "quality": {
            name: judge.figures(of_one, prompts=prompts) for name, of_one in pictures.items()
        },
        **({"best_of_n": against_best(best, matches, judge=judge)} if best else {}),
    }


def against_best(
    images: Sequence[str], matches: Sequence[Match], *, judge: "Judge"
) -> dict[str, object]:
    """Returns how the child fares against the best of the parent's images of each prompt, and
    they.
    """
    prompts = [pair.prompt for pair in matches]
    best = {
        pair.prompt: pixels_of(pair.parent)
        for pair in matches
        if str(pair.parent.image_id) in images
    }
    of_prompt = [best[prompt] for prompt in prompts]
    parent = [pixels_of(pair.parent) for pair in matches]
    child = [pixels_of(pair.child) for pair in matches]
    return {
        "child": by_both_tastes(prompts=prompts, child=child, parent=of_prompt),
        "best": by_both_tastes(prompts=prompts, child=of_prompt, parent=parent),
        "quality": {"kid": judge.distance(list(best.values())).value},
    }


def quality_folder(source: ModelSource) -> Path:
    """Where a base model keeps what candidates are compared with."""
    return (BUNDLED_FOLDER if source.base == BUNDLED else Path(source.base)) / "quality"


@dataclass(frozen=True)
class Judge:
    """Compares pictures with held-out real images, and with each other."""

    net: FeatureNet
    reference: Reference

    @classmethod
    def load(cls, folder: Path) -> "Judge":
        return cls(FeatureNet.load(folder), load_reference(folder))

    def figures(
        self, pictures: Sequence[np.ndarray], *, prompts: Sequence[str]
    ) -> dict[str, float]:
        """Returns what a gate looks at too: KID, PRDC, copies, and MS-SSIM over the seeds of a
        prompt.
        """
        distance = self.distance(pictures)
        features, _ = describe_images(self.net, as_input(pictures))
        real = self.reference.heldout_features
        nearest_k = min(NEAREST_K, len(real) - 1, len(pictures) - 1)
        return {
            **asdict(prdc(features, real, nearest_k=nearest_k)),
            "copies": NearestTrainingImage(self.net, self.reference).copies_share(pictures),
            "kid": distance.value,
            "kid_standard_error": distance.standard_error,
            "ms_ssim": mean_ms_ssim(by_prompt(prompts, pictures)),
        }

    def distance(self, pictures: Sequence[np.ndarray]) -> Kid:
        """Measures KID to the held-out real images."""
        features, _ = describe_images(self.net, as_input(pictures))
        return kid(features, self.reference.heldout_features)


@handles("gate")
def judge_child(progress: Progress) -> dict[str, object]:
    """Measure child and parent on the same prompts and seeds and keep the verdict; twice is one."""
    rows = Gate.objects.select_related(
        "child__parent", "parent", "child_batch", "parent_batch", "verdict"
    )
    gate = rows.get(run=progress.run)
    if gate.found is not None:
        return {"decision": gate.found.decision}
    for _, batch in gate.batches:
        require_images(batch)
    matches = match(child=gate.child_batch, parent=gate.parent_batch)
    progress.update(len(matches), total=len(matches), note="Measuring")
    child = [pixels_of(pair.child) for pair in matches]
    parent = [pixels_of(pair.parent) for pair in matches]
    measuring = Measuring.load(
        quality_folder(gate.parent.source),
        prompts=[pair.prompt for pair in matches],
        child=child,
        parent=parent,
    )
    figures = measuring.figures(
        judge=judged_by_people(gate, matches)
        or judged_by_reward_model(gate, measuring)
        or judged_by_second_taste(gate, child=child, parent=parent),
        no_judge=NO_JUDGE,
        trained_on=judged_by_what_taught(gate, child=child, parent=parent),
    )
    figures["trained_on"] = figures["trained_on"] or what_training_says(gate)
    figures["images"] = [image_ids(pair) for pair in matches]
    add_mask_figures(figures, gate)
    verdict = keep_verdict(gate, decide(figures, gate.asked), figures=figures)
    for rule in verdict.rules.all():
        progress.log(f"{rule.label}: {rule.get_outcome_display()}. {rule.sentence}")
    progress.log(f"verdict: {verdict.decision}")
    return {"decision": verdict.decision}


def require_images(batch: Batch) -> None:
    missing = batch.recipes.filter(candidate=None).count()
    if missing:
        raise RemediableError(
            f"{missing} images of “{batch}” could not be made.",
            remedy="Open the batch, complete it, and retry this run.",
        )


def judged_by_reward_model(gate: Gate, measuring: Measuring) -> Judged | None:
    """Returns the newest reward model that learnt from other readings, if there is one.

    Its trunk takes seconds to import, so only who judges by it does.
    """
    from generation.rewards.reward_model import RewardModel

    for scorer, snapshot in independent_reward_models(gate):
        model = RewardModel.load(scorer.folder)
        child, parent = (
            [found.utility for found in model.predict(pictures, list(measuring.prompts))]
            for pictures in (measuring.child, measuring.parent)
        )
        whose = "simulated readers" if snapshot.is_simulated else "people"
        return Judged(
            name=f"The reward model {scorer.name}",
            about=f"It learnt from the snapshot “{snapshot.name}” by {whose}, which has no reading "
            "that taught these versions.",
            child=child,
            parent=parent,
            source={"scorer": str(scorer.pk)},
        )
    return None


def add_mask_figures(figures: dict[str, Any], gate: Gate) -> None:
    """How well both sides follow the held-out masks, or why that is not known."""
    masked = gate.asked.masked
    if masked is None:
        return
    asked = {cast("Mode", one.mode): masked_pictures(one) for one in gate.masked.all()}
    if not asked:
        unknown = {quality.name: masked.missing for quality in MASK_FIDELITY.values()}
        figures |= {"masks": None, "no_quality": figures["no_quality"] | unknown}
        return
    # MONAI takes seconds to import, so only who measures by it does.
    from generation.downstream.segmenter import Segmenter
    from generation.quality.mask_following import as_changes, mask_figures

    active = Scorer.objects.active().filter(kind=ScorerKind.SEGMENTER, target__in=masked.kinds)
    found = mask_figures(
        asked, {as_kind(scorer.target): Segmenter.load(scorer.folder) for scorer in active}
    )
    names = {scorer.target: scorer.name for scorer in active}
    figures["masks"] = found | {"segmenters": names}
    figures["quality"] |= as_changes(found)


def masked_pictures(masks: GateMasks) -> "MaskedPictures":
    from generation.quality.mask_following import MaskedPictures

    matches = match(child=masks.child_batch, parent=masks.parent_batch)
    shown = [dict(conditioning_masks(pair.child.recipe)) for pair in matches]
    patients = dict(
        RecipeMask.objects.filter(recipe__batches=masks.child_batch).values_list(
            "recipe", "parent__cohort_image__patient"
        )
    )
    return MaskedPictures(
        child=[pixels_of(pair.child) for pair in matches],
        parent=[pixels_of(pair.parent) for pair in matches],
        masks={as_kind(kind): [one[kind] for one in shown] for kind in shown[0]},
        patients=[patients[pair.child.recipe_id] for pair in matches],
    )


def image_ids(pair: Match) -> dict[str, object]:
    return {
        "prompt": pair.prompt,
        "seed": pair.child.recipe.seed,
        "child": str(pair.child.pk),
        "parent": str(pair.parent.pk),
    }


@handles("take_snapshot")
def take_by_run(progress: Progress) -> dict[str, object]:
    """Take a large snapshot, once: what was kept of it is there to a second attempt."""
    if progress.run.result:
        return dict(progress.run.result)
    spec = progress.run.spec
    chosen = list(Study.objects.filter(pk__in=spec["studies"]))
    with transaction.atomic():
        snapshot = take_snapshot(
            name=spec["name"],
            studies=chosen or None,
            simulated=spec["simulated"],
            prefers_final=spec.get("prefers_final", False),
            created_by=progress.run.created_by,
        )
        result: dict[str, object] = {"snapshot": str(snapshot.pk), "name": snapshot.name}
        progress.keep(result)
    return result


@handles(COUNT)
def count_by_run(progress: Progress) -> dict[str, object]:
    """Count what readings give, for pages; what is counted stays counted."""
    spec = progress.run.spec
    readings = Reading.objects.current().filter(is_simulated=spec["simulated"]).count()
    return {"total": count_for_run(spec), "readings": readings}


@handles("train_reward_model")
def train_reward_model(progress: Progress) -> dict[str, object]:
    """Train in a child process, register as a scorer, and have older candidates measured.

    What is free in pools whose order is active is valued by it then.
    """
    trainings = RewardModel.objects.select_related("run", "snapshot__blob", "scorer")
    training = trainings.get(run=progress.run)
    if training.scorer is not None:
        return {"scorer": training.scorer.name, **training.scorer.figures}
    run_dir = settings.RUNS_ROOT / str(progress.run.pk)
    write_reward_run_folder(training, run_dir)
    result = run_child(progress, module=REWARD_MODULE, run_dir=run_dir)
    with transaction.atomic():
        scorer = register_reward_model(training, run_dir / "model", figures=result)
        measuring = start_measuring(progress.run.created_by)
        follow_reward_model(scorer, after=measuring)
    return {"scorer": scorer.name, **result}


@shared_task(name=TASK)
def run_schedule(*, schedule_id: int) -> None:
    """Celery beat calls this; what it decides is in the log."""
    follow_schedule(Schedule.objects.get(pk=schedule_id))

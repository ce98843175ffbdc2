"""The loop, once round, with simulated readers, and whether it made the model better.

A child is better if its images are preferred by the readers' own taste on prompts that it
was not taught on, with the whole 95 % interval above a half, while KID to held-out real
images and MS-SSIM over seeds stay within a margin of the parent's, and few images are too
close to a training image: margins as a gate has them. A gate asks a judge that the
training did not use; the rehearsal asks the taste that it means to teach.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from feedback_app.curation.models import CuratedSet
from feedback_app.curation.services import apply_policy, create_policy
from feedback_app.exports.models import Export
from feedback_app.exports.services import start_export
from feedback_app.finetuning.comparison import start_comparison
from feedback_app.finetuning.models import Method, Snapshot
from feedback_app.finetuning.services import start_finetune, take_snapshot
from feedback_app.images.candidates.batches import Settings, create_batch
from feedback_app.images.models import Batch, ModelVersion
from feedback_app.rehearsal.simulation import simulate_readings, staff_and_open
from feedback_app.results.images import results_of
from feedback_app.runs.console import execute_here
from feedback_app.runs.models import Run, State
from feedback_app.studies.models import Study
from feedback_app.studies.services import add_cases_from_batch, create_study
from generation.errors import RemediableError

Say = Callable[[str], object]

FIGURES = ("loss", "accuracy", "margin", "gain", "reward", "rated_error")
"""A fine-tune has those of its method."""
PRDC = ("precision", "recall", "density", "coverage")
"""Said beside KID; a gate has margins for them."""
HELD_OUT_SEED = 10_000
"""First seed of the held-out images; those that are taught on begin at 0."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How large the rehearsal is, and by how much the child may lie behind its parent.

    ``max_kid_rise`` and ``max_ms_ssim_rise`` are in units of those figures: a higher KID
    is further from real images, a higher MS-SSIM less diverse.
    """

    taught_prompts: tuple[str, ...]
    held_out_prompts: tuple[str, ...]
    images_per_taught_prompt: int = 4
    images_per_held_out_prompt: int = 4
    sampling: Settings = field(default_factory=Settings)
    readers: int = 3
    method: str = Method.DPO_MARGIN.value
    fine_tuning: Mapping[str, Any] = field(default_factory=dict)
    min_mean_score: float = 2.0
    refuses_copies: bool = True
    win_rate_above: float = 0.5
    max_kid_rise: float = 0.02
    max_ms_ssim_rise: float = 0.03
    max_copies_share: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        shared = set(self.taught_prompts) & set(self.held_out_prompts)
        if shared:
            raise ValueError(f"taught and held out: {sorted(shared)}")


class WorseThanItsParentError(RemediableError):
    """The child did not prove to be better, or paid too much for it."""


@dataclass
class Rehearsal:
    """A rehearsal is one going round; ``say`` is called with a line for every stage."""

    plan: Plan
    say: Say

    def run(self, parent: ModelVersion) -> None:
        """Every stage in turn; raises a ``RemediableError`` at the first that fails."""
        batch = self.make_candidates(
            "taught", parent, self.plan.taught_prompts, seed=self.plan.seed
        )
        study = self.read(batch)
        child = self.teach(parent, self.take_snapshot(study))
        made = {
            version: self.make_held_out(name, version)
            for name, version in (("child", child), ("parent", parent))
        }
        self.judge(made[child], made[parent])
        self.export(self.curate(self.read(made[child])))

    @contextmanager
    def stage(self, name: str) -> Iterator[list[str]]:
        """Times a stage and says its name, what was put on the list, and the seconds."""
        started_at = time.monotonic()
        found: list[str] = []
        yield found
        self.say(f"{name}: {', '.join(found)} ({time.monotonic() - started_at:.1f} s)")

    def make_held_out(self, name: str, version: ModelVersion) -> Batch:
        return self.make_candidates(
            f"held out, {name}",
            version,
            self.plan.held_out_prompts,
            seed=self.plan.seed + HELD_OUT_SEED,
            per_prompt=self.plan.images_per_held_out_prompt,
        )

    def make_candidates(
        self,
        name: str,
        version: ModelVersion,
        prompts: tuple[str, ...],
        *,
        seed: int,
        per_prompt: int | None = None,
    ) -> Batch:
        with self.stage(f"candidates ({name})") as found:
            batch = create_batch(
                f"Rehearsal, {name}",
                model_version=version,
                prompts=prompts,
                images_per_prompt=per_prompt or self.plan.images_per_taught_prompt,
                settings=self.plan.sampling,
                seed=seed,
            )
            for run in batch.runs.unfinished().order_by("created_at"):
                finish(run)
            made = batch.recipes.filter(candidate__isnull=False).count()
            found += [f"{made} images of {len(prompts)} prompts", f"by {version.name}"]
        return batch

    def read(
        self,
        batch: Batch,
        *,
        kind: str = "",
        after: int = 0,
        is_flipped: bool = False,
        marks: bool = False,
    ) -> Study:
        """Readings by simulated readers, of whom the first ``after`` are others."""
        with self.stage(f"readings{kind and f' ({kind})'}") as found:
            name = " ".join(filter(None, (batch.name, str(batch.pk), kind)))
            study = create_study(name=name, shuffle_seed=self.plan.seed)
            added = add_cases_from_batch(study, batch)
            study = staff_and_open(study, reader_count=self.plan.readers, after=after)
            count = simulate_readings(
                study, seed=self.plan.seed, is_flipped=is_flipped, marks=marks
            )
            found += [f"{count} by {self.plan.readers} simulated readers", f"{added.cases} cases"]
            results = results_of(study)
            found += [
                f"mean {criterion.name.lower()} {mean:.2f}"
                for criterion, mean in zip(results.criteria, results.overall, strict=True)
                if mean is not None
            ]
        return study

    def take_snapshot(self, study: Study) -> Snapshot:
        with self.stage("snapshot") as found:
            snapshot = take_snapshot(name=f"Rehearsal {study.pk}", studies=[study], simulated=True)
            found += [f"{snapshot.pairs.count()} pairs"]
            found += [f"{snapshot.rated_images.count()} ratings", f"sha256 {snapshot.sha256[:12]}"]
        return snapshot

    def teach(self, parent: ModelVersion, snapshot: Snapshot) -> ModelVersion:
        with self.stage("fine-tune") as found:
            fine_tune = start_finetune(
                snapshot=snapshot,
                parent=parent,
                method=self.plan.method,
                settings={"seed": self.plan.seed, **self.plan.fine_tuning},
                asks_gate=False,
                takes_reward_model=False,
            )
            result = finish(fine_tune.run)
            fine_tune.refresh_from_db()
            assert fine_tune.model_version is not None
            found += [f"{result['steps']} steps of {self.plan.method}"]
            found += [f"{name} {result[name]:.3f}" for name in FIGURES if name in result]
            found += [f"gives {fine_tune.model_version.name}"]
        return fine_tune.model_version

    def judge(self, child: Batch, parent: Batch) -> None:
        started_at = time.monotonic()
        result = finish(start_comparison(child=child, parent=parent))
        tastes, quality = result["tastes"], result["quality"]
        self.say(
            f"win rate: {describe_taste(tastes['readers_taste'])} by the readers' taste; "
            f"{describe_taste(tastes['second_taste'])} by a second taste that they do not have "
            f"({time.monotonic() - started_at:.1f} s)"
        )
        self.say(
            f"quality: KID {describe_change(quality, 'kid')} "
            f"(may rise by {self.plan.max_kid_rise}), "
            f"MS-SSIM {describe_change(quality, 'ms_ssim')} "
            f"(may rise by {self.plan.max_ms_ssim_rise}), "
            f"copies {quality['child']['copies']:.3f} (at most {self.plan.max_copies_share}), "
            + ", ".join(f"{name} {describe_change(quality, name)}" for name in PRDC)
        )
        require_better(result, self.plan)

    def curate(self, study: Study) -> CuratedSet:
        with self.stage("curation") as found:
            policy = create_policy(
                study.name[:100],
                studies=[study],
                min_readers=self.plan.readers,
                min_mean_scores={"realism": self.plan.min_mean_score},
                refuses_copies=self.plan.refuses_copies,
                uses_simulated_readers=True,
            )
            curated = apply_policy(policy)
            found += [
                f"{curated.items.count()} of {curated.considered} candidates",
                f"sha256 {curated.sha256[:12]}",
            ]
        return curated

    def export(self, curated: CuratedSet) -> Export:
        with self.stage("export") as found:
            export = start_export(curated)
            finish(export.run)
            export.refresh_from_db()
            assert export.blob is not None
            found += [f"{export.blob.size_bytes:,} bytes", f"sha256 {export.blob.sha256[:12]}"]
        return export


def finish(run: Run) -> dict[str, Any]:
    """Do the run here, or wait for the worker that has it; its result."""
    done = execute_here(run, write=lambda line: None)
    if done.state != State.SUCCEEDED:
        raise RemediableError(
            f"{done.title}: {done.error or done.state}", remedy=done.remedy or "Retry it."
        )
    result: dict[str, Any] = done.result
    return result


def describe_taste(found: Mapping[str, Any]) -> str:
    return (
        f"{found['share']:.3f} (95 % interval {found['low']:.3f} to {found['high']:.3f}, "
        f"{found['pairs']} pairs of {found['prompts']} prompts, "
        f"mean {found['parent_mean']:.2f} to {found['child_mean']:.2f})"
    )


def describe_change(quality: Mapping[str, Mapping[str, float]], name: str) -> str:
    return f"{quality['parent'][name]:.4f} to {quality['child'][name]:.4f}"


def require_better(result: Mapping[str, Any], plan: Plan) -> None:
    """Raise where the win rate's interval reaches a half, or quality was paid for it."""
    quality = result["quality"]
    reasons = []
    if result["tastes"]["readers_taste"]["low"] <= plan.win_rate_above:
        reasons.append(f"the win rate's interval is not wholly above {plan.win_rate_above}")
    for name, label, allowed in (
        ("kid", "KID", plan.max_kid_rise),
        ("ms_ssim", "MS-SSIM", plan.max_ms_ssim_rise),
    ):
        rise = quality["child"][name] - quality["parent"][name]
        if rise > allowed:
            reasons.append(f"{label} rose by {rise:.4f}, more than {allowed}")
    if (share := quality["child"]["copies"]) > plan.max_copies_share:
        reasons.append(f"{share:.1%} of its images are too close to a training image")
    if reasons:
        raise WorseThanItsParentError(
            f"{result['child']} is not better than {result['parent']}: {'; '.join(reasons)}.",
            remedy="Look at both batches side by side; then change steps, beta or the readings.",
        )

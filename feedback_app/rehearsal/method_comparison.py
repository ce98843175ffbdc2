"""Every method of learning on equal terms: the same readings, prompts and seeds.

For each number of readings, simulated readers score candidates of the taught prompts once,
and every method learns from that one snapshot. What each gives is compared on prompts that
nothing was taught on: with the parent, and with the best of the parent's images of each
prompt by simulated readers' scores, which costs no training. Readers mark what they dislike
where it is; only the arms with a region weight learn from that, and are compared with their
twin without one, too. Best of n is itself compared
with all of the parent's images, the chosen ones included, which then count as ties: of four
images, the best cannot win more than seven in eight.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db.models import Avg

from feedback_app.finetuning.comparison import start_comparison
from feedback_app.finetuning.models import Method, Snapshot
from feedback_app.finetuning.services.recommendation import BEST_OF_N
from feedback_app.images.models import Batch, ModelVersion
from feedback_app.readings.models import Score
from feedback_app.rehearsal.loop import Plan, Rehearsal, finish
from feedback_app.studies.models import CaseImage, Study
from generation.errors import RemediableError
from generation.preferences.selection import best_of_n

IMAGES_A_CASE = 4
SIZES = (30, 100, 300, 1_000)


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One way to learn; ``settings`` are those of its fine-tune beside the common ones.

    ``twin`` is the arm that differs from it in one thing alone.
    """

    name: str
    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    twin: str = ""


ARMS = (
    Arm(name=BEST_OF_N, method=BEST_OF_N),
    Arm(name="reward_weighted", method=Method.REWARD_WEIGHTED.value),
    Arm(name="dpo_margin", method=Method.DPO_MARGIN.value),
    Arm(
        name="dpo_margin_safeguarded",
        method=Method.DPO_MARGIN.value,
        settings={"safeguarded": True},
    ),
    Arm(
        name="dpo_margin_regions",
        method=Method.DPO_MARGIN.value,
        settings={"region_weight": 0.5},
        twin="dpo_margin",
    ),
    Arm(
        name="dpo_margin_regions_alone",
        method=Method.DPO_MARGIN.value,
        settings={"region_weight": 1.0},
        twin="dpo_margin",
    ),
    Arm(name="dpo_paper", method=Method.DPO_PAPER.value),
    Arm(name="kto", method=Method.KTO.value),
    Arm(name="draft", method=Method.DRAFT.value),
)

Share = dict[str, Any]
"""A win rate with ``share``, ``low``, ``high`` and mean tastes."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What one method made of so many readings; ``error`` says why it made nothing.

    ``against_parent``, ``against_best`` and, where an arm has a twin that was made before it,
    ``against_twin`` have a win rate for each of the two tastes; KID and MS-SSIM are of the
    parent and of the child. ``held_out`` is the batch of the child's images.
    """

    arm: str
    size: int
    readings: int = 0
    pairs: int = 0
    against_parent: Mapping[str, Share] = field(default_factory=dict)
    against_best: Mapping[str, Share] = field(default_factory=dict)
    against_twin: Mapping[str, Share] = field(default_factory=dict)
    quality: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    error: str = ""
    held_out: str = ""


@dataclass
class MethodComparison:
    """Fills cells one after the other; those whose files are in ``folder`` are taken as they are.

    ``plan`` has the prompts, the sampling, the number of readers and the common settings
    of fine-tunes; ``say`` is called with a line for every stage.
    """

    plan: Plan
    parent: ModelVersion
    folder: Path
    say: Callable[[str], object]

    def run(self, arms: Sequence[Arm], sizes: Sequence[int]) -> Iterator[Cell]:
        self._require_same_plan()
        for size in sizes:
            for arm in arms:
                yield self.cell(arm, size)

    def cell(self, arm: Arm, size: int) -> Cell:
        path = self._cell_path(arm.name, size)
        if path.exists():
            return Cell(**json.loads(path.read_text()))
        try:
            cell = self._fill(arm, size)
        except RemediableError as error:
            cell = Cell(arm=arm.name, size=size, error=str(error))
        write_whole(path, asdict(cell))
        return cell

    def _require_same_plan(self) -> None:
        """Cells of other plans must not stand beside each other."""
        path = self.folder / "plan.json"
        wanted = json.loads(
            json.dumps({"plan": asdict(self.plan), "parent": self.parent.sha256}, default=str)
        )
        if not path.exists():
            write_whole(path, wanted)
        elif json.loads(path.read_text()) != wanted:
            raise RemediableError(
                f"{self.folder} has results of another plan or model.",
                remedy="Name another folder, or give the same options as before.",
            )

    def _fill(self, arm: Arm, size: int) -> Cell:
        snapshot = self.snapshot(size)
        counted: dict[str, Any] = {
            "arm": arm.name,
            "size": size,
            "readings": _readings_of(snapshot),
            "pairs": snapshot.pairs.count(),
        }
        parent = self.held_out
        if arm.method == BEST_OF_N:
            result = finish(start_comparison(child=parent, parent=parent, best=self.best))
            chosen = result["best_of_n"]
            return Cell(
                **counted,
                against_parent=chosen["best"],
                quality={"parent": result["quality"]["parent"], "child": chosen["quality"]},
            )
        plan = replace(
            self.plan,
            method=arm.method,
            fine_tuning={**self.plan.fine_tuning, **arm.settings},
        )
        rehearsal = Rehearsal(plan, lambda line: self.say(f"{arm.name}, {size}: {line}"))
        child = rehearsal.teach(self.parent, snapshot)
        made = rehearsal.make_held_out(arm.name, child)
        result = finish(start_comparison(child=made, parent=parent, best=self.best))
        return Cell(
            **counted,
            against_parent=result["tastes"],
            against_best=result["best_of_n"]["child"],
            against_twin=self._against_twin(made, arm, size),
            quality=result["quality"],
            held_out=str(made.pk),
        )

    def _against_twin(self, made: Batch, arm: Arm, size: int) -> Mapping[str, Share]:
        path = self._cell_path(arm.twin, size)
        twin = json.loads(path.read_text()).get("held_out") if arm.twin and path.exists() else ""
        other = Batch.objects.filter(pk=twin).first() if twin else None
        if other is None:
            return {}
        tastes: Mapping[str, Share] = finish(start_comparison(child=made, parent=other))["tastes"]
        return tastes

    def _cell_path(self, arm: str, size: int) -> Path:
        return self.folder / "cells" / f"{arm}-{size}.json"

    def snapshot(self, size: int) -> Snapshot:
        """Takes at least so many readings, all in whole cases, and is made once."""
        path = self.folder / f"snapshot-{size}.json"
        kept = json.loads(path.read_text())["snapshot"] if path.exists() else None
        if kept and (found := Snapshot.objects.filter(pk=kept).first()):
            return found
        prompts, per_prompt = spread_cases(
            -(-size // self.plan.readers), prompts=self.plan.taught_prompts
        )
        rehearsal = self._rehearsal(f"{size} readings")
        batch = rehearsal.make_candidates(
            f"{size} readings", self.parent, prompts, seed=self.plan.seed, per_prompt=per_prompt
        )
        made = rehearsal.take_snapshot(rehearsal.read(batch, marks=True))
        write_whole(path, {"snapshot": str(made.pk)})
        return made

    @cached_property
    def held_out(self) -> Batch:
        """The parent's images of the prompts that nothing is taught on."""
        return self._rehearsal("held out").make_held_out("parent", self.parent)

    @cached_property
    def best(self) -> list[UUID]:
        """Returns the images of each held-out prompt that simulated readers score highest."""
        return best_images(self._rehearsal("best of n").read(self.held_out))

    def _rehearsal(self, name: str) -> Rehearsal:
        return Rehearsal(self.plan, lambda line: self.say(f"{name}: {line}"))


def spread_cases(count: int, *, prompts: Sequence[str]) -> tuple[tuple[str, ...], int]:
    """Returns which prompts, and how many images of each, give at least ``count`` cases."""
    cases_a_prompt = -(-count // len(prompts))
    used = -(-count // cases_a_prompt)
    return tuple(prompts[:used]), cases_a_prompt * IMAGES_A_CASE


def best_images(study: Study) -> list[UUID]:
    """Picks for each prompt the image with the highest mean score; the first one among equals."""
    means = dict(
        Score.objects.filter(reading__slot__study=study)
        .values_list("image_id")
        .annotate(mean=Avg("value"))
    )
    shown = CaseImage.objects.filter(case__study=study, image__in=means)
    rows = list(
        shown.order_by("case__position", "position").values_list("case__prompt", "image_id")
    )
    places = best_of_n([prompt for prompt, _ in rows], [float(means[image]) for _, image in rows])
    return [rows[place][1] for place in places]


def _readings_of(snapshot: Snapshot) -> int:
    return snapshot.rated_images.values("reading").distinct().count()


def write_whole(path: Path, content: object) -> None:
    """Whole or not at all: a cell that was cut off is done again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(content, indent=2))
    temporary.replace(path)

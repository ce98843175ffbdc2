"""What a gate's page and its report to keep show."""

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.urls import reverse

from feedback_app.finetuning.gates.models import Gate, GateRule, GateVerdict, RuleOutcome
from feedback_app.finetuning.gates.services import read_report
from feedback_app.finetuning.lineage import lineage_of, readings_in
from feedback_app.finetuning.models import FineTune
from feedback_app.images.models import Batch, Candidate, CohortImage, Image, Recipe
from generation.quality.gate_rules import MODE_WORDS
from generation.quality.gate_spec import finding_of

if TYPE_CHECKING:
    from feedback_app.charts.plots import Plot

Address = Callable[[UUID], str]


def address_of(image: UUID) -> str:
    """Where a coordinator's browser finds it."""
    return reverse("images:file", args=[image])


@dataclass(frozen=True)
class Picture:
    """It is a synthetic image.

    ``src`` is an address, or a data URI in a report that stands alone.
    """

    id: UUID
    src: str


@dataclass(frozen=True)
class Beside:
    """It holds both versions' images of one prompt and seed; None where one is not made yet."""

    seed: int
    child: Picture | None
    parent: Picture | None


@dataclass(frozen=True)
class Sheet:
    """A sheet shows the pairs of one prompt."""

    finding: str
    prompt: str
    pairs: list[Beside]


@dataclass(frozen=True, kw_only=True)
class MaskedSheet:
    """Pairs that follow the same masks, each with the recipe whose masks they are."""

    words: str
    pairs: list[tuple[Recipe, Beside]]


@dataclass(frozen=True, kw_only=True)
class MaskRow:
    """How well one side follows its masks in one mode."""

    words: str
    side: str
    images: int
    found: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """An image of the child, and the training image that it is most like, if that is imported."""

    picture: Picture
    prompt: str
    similarity: float
    is_too_close: bool
    nearest_image_id: str
    nearest: CohortImage | None


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything of a verdict, ready to be shown."""

    verdict: GateVerdict
    rules: tuple[GateRule, ...]
    figures: Mapping[str, Any]
    plots: "tuple[Plot, ...]"
    suspects: tuple[Suspect, ...]

    @property
    def against(self) -> list[GateRule]:
        return [rule for rule in self.rules if rule.outcome != RuleOutcome.PASSED]

    @property
    def alarms(self) -> list[GateRule]:
        """What is said above all else."""
        return [rule for rule in self.against if rule.name in {"reward_hacking", "copies"}]

    @property
    def headline(self) -> str:
        if self.verdict.is_promote:
            return f"Promote: all {len(self.rules)} rules passed."
        return f"Hold: {len(self.against)} of {len(self.rules)} rules speak against it."

    @property
    def findings(self) -> list[dict[str, Any]]:
        return [{"name": name, **row} for name, row in self.figures["findings"].items()]

    @property
    def masks(self) -> list[MaskRow]:
        """Nothing where no masks were asked for."""
        found = self.figures.get("masks") or {"modes": {}}
        return [
            MaskRow(words=MODE_WORDS[mode], side=side, images=row["images"], found=row[side])
            for mode, row in found["modes"].items()
            for side in ("parent", "child")
        ]


def report_of(verdict: GateVerdict, *, address: Address = address_of) -> Report:
    from feedback_app.finetuning.gates.plots import plots_of

    stored = read_report(verdict)
    figures = stored["figures"]
    return Report(
        verdict=verdict,
        rules=tuple(verdict.rules.all()),
        figures=figures,
        plots=plots_of(figures, verdict.gate.asked),
        suspects=tuple(_suspects(figures, address)),
    )


def _suspects(figures: Mapping[str, Any], address: Address) -> Iterable[Suspect]:
    found = figures["suspicious"]
    ids = {suspect["nearest_image_id"] for suspect in found}
    known = {row.source_id: row for row in CohortImage.objects.filter(source_id__in=ids)}
    for suspect in found:
        pair = figures["images"][suspect["pair"]]
        image, nearest = UUID(pair["child"]), suspect["nearest_image_id"]
        yield Suspect(
            picture=Picture(image, address(image)),
            prompt=pair["prompt"],
            similarity=suspect["similarity"],
            is_too_close=suspect["is_too_close"],
            nearest_image_id=nearest,
            nearest=known.get(nearest),
        )


def sheet_from(child: Batch, parent: Batch, *, address: Address = address_of) -> list[Sheet]:
    """Returns images of the same prompt and seed beside each other, in the order of the prompts."""
    groups: dict[str, list[Beside]] = {}
    for recipe, pair in _pairs(child, parent, address=address):
        groups.setdefault(recipe.prompt, []).append(pair)
    return [Sheet(finding_of(prompt), prompt, pairs) for prompt, pairs in groups.items()]


def masked_sheets(gate: Gate) -> list[MaskedSheet]:
    """Returns one pair of each of the held-out masks, by mode."""
    sheets = []
    for one in gate.masked.select_related("child_batch", "parent_batch"):
        first: dict[tuple[str, ...], tuple[Recipe, Beside]] = {}
        for recipe, pair in _pairs(one.child_batch, one.parent_batch, address=address_of):
            first.setdefault(recipe.mask_blobs, (recipe, pair))
        sheets.append(MaskedSheet(words=one.words, pairs=list(first.values())))
    return sheets


def _pairs(child: Batch, parent: Batch, *, address: Address) -> Iterator[tuple[Recipe, Beside]]:
    """Yields the child's recipes in order, with both sides' pictures; seeds are a batch's own."""
    others = {
        (place.recipe.prompt, place.recipe.seed): place.candidate
        for place in parent.batchrecipe_set.with_candidates()
    }

    def pictured(candidate: Candidate | None) -> Picture | None:
        return Picture(candidate.pk, address(candidate.pk)) if candidate else None

    for place in child.batchrecipe_set.with_candidates():
        recipe = place.recipe
        other = others.get((recipe.prompt, recipe.seed))
        yield recipe, Beside(recipe.seed, pictured(place.candidate), pictured(other))


def embedded(image: UUID) -> str:
    """Returns a synthetic image as a data URI, for a report that stands alone."""
    blob = Image.objects.select_related("blob").get(pk=image, cohort_image=None).blob
    return f"data:{blob.media_type};base64,{base64.b64encode(blob.read()).decode()}"


def behind(gate: Gate) -> list[tuple[FineTune, int]]:
    """Returns the fine-tunes that led to the child, each with the number of readings behind it."""
    tunes = lineage_of(gate.child)
    return [(row, readings_behind(row)) for row in tunes]


def readings_behind(row: FineTune) -> int:
    """Readings that its snapshot has a pair or a rating of."""
    return len(readings_in(row.snapshot))

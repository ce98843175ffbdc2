"""The data card of an export: what it holds, how it was chosen, who judged it."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from feedback_app.curation.models import CuratedItem, CuratedSet
from feedback_app.curation.rules import most_first
from feedback_app.exports.front_matter import front_matter
from feedback_app.exports.masks import Masks, mask_column_of
from feedback_app.images.models import ModelVersion, RecipeMask
from feedback_app.studies.models import Study
from generation.conditioning.findings import NORMAL
from generation.conditioning.masks import MASK_KINDS, label_of

SIMULATED = (
    "**The readers were simulated.** No person has judged these images: the scores come from "
    "computed rules and say nothing about their medical plausibility."
)
TAUGHT_BY_SIMULATED = (
    "**A model version was taught by simulated readers**, not by people; it is marked below."
)
NOT_CLINICAL = (
    "These images are synthetic. They show no patient. They are for research and development "
    "and must not be used for diagnosis, for treatment or for teaching what a disease looks like."
)
REPAIR_COLUMNS = """
| repair_of | `pixels_sha256` of the image of which regions were drawn again; empty for others |
| repaired_regions | corners of those regions in its pixels (JSON) |"""
FINALS = "- Adjudicated cases: by their final readings alone"


def column_of(criterion: str) -> str:
    """Returns the name of a criterion's column in ``metadata.csv``."""
    return f"score_{criterion.replace('-', '_')}"


def transforms_column_of(kind: str) -> str:
    return f"{mask_column_of(kind)}_transforms"


@dataclass(frozen=True)
class Columns:
    """What ``metadata.csv`` has beside what it always has: criteria, and kinds of masks.

    ``masks`` is where the format keeps these. ``has_repairs``: some images were repaired.
    """

    criteria: tuple[str, ...]
    kinds: tuple[str, ...]
    masks: Masks
    has_repairs: bool = False

    @classmethod
    def of(cls, items: Iterable[CuratedItem], masks: Masks) -> Self:
        criteria, found, has_repairs = set(), set(), False
        for item in items:
            criteria |= set(item.mean_scores)
            has_repairs |= hasattr(item.candidate.recipe, "repair")
            found |= {mask.kind for mask in item.candidate.recipe.conditioning}
        kinds = tuple(kind for kind in MASK_KINDS if kind in found)
        return cls(tuple(sorted(criteria)), kinds, masks, has_repairs)

    def meaning_of_mask(self, kind: str) -> str:
        return self.masks.meaning.format(kind=label_of(kind))


def write_card(
    curated_set: CuratedSet,
    columns: Columns,
    *,
    table: str,
    files: str,
    data_files: Sequence[str] = (),
) -> bytes:
    """Returns the card of an archive whose ``table`` has a row an image; ``files`` says what is in
    it.

    ``data_files`` are what ``datasets`` loads when it is given the unzipped folder alone.
    """
    front = front_matter(
        name=curated_set.policy.name,
        count=curated_set.items.count(),
        is_simulated=curated_set.is_simulated,
        data_files=data_files,
    )
    sections = [
        f"# {curated_set.policy.name}",
        describe_contents(curated_set),
        "## Not for clinical use\n\n" + NOT_CLINICAL,
        "## How the images were chosen\n\n" + describe_choice(curated_set),
        "## What the prompts name\n\n" + describe_findings(curated_set),
        "## Where the images come from\n\n" + describe_models(curated_set),
        "## Files\n\n" + files,
    ]
    if columns.kinds:
        sections.insert(-1, "## Masks\n\n" + describe_masks(curated_set, columns, table))
    return (front + "\n\n".join(sections) + "\n").encode()


def describe_contents(curated_set: CuratedSet) -> str:
    count = curated_set.items.count()
    lines = [
        (
            f"{count} synthetic frontal chest X-rays (8-bit grey), made by a latent diffusion "
            f"model and curated in Reading Room by the policy “{curated_set.policy.name}”."
        ),
    ]
    if curated_set.is_simulated:
        lines.append(SIMULATED)
    if any(version.taught_by_simulated_readers for version in model_versions(curated_set)):
        lines.append(TAUGHT_BY_SIMULATED)
    return "\n\n".join(lines)


def describe_choice(curated_set: CuratedSet) -> str:
    rules = curated_set.rules
    studies = Study.objects.filter(pk__in=rules["studies"]).order_by("name")
    scores = [f"{slug} at least {least:g}" for slug, least in rules["min_mean_scores"].items()]
    flags = ", ".join(rules["vetoing_flags"]) or "none"
    lines = [
        f"- Studies: {', '.join(study.name for study in studies)}",
        (
            f"- Readers: {'simulated' if curated_set.is_simulated else 'people'}, "
            f"at least {rules['min_readers']} an image"
        ),
        *([FINALS] if rules.get("prefers_final") else []),
        f"- Mean score over readers (0 to 5): {', '.join(scores) or 'any'}",
        f"- Flags that keep an image out: {flags} (from {rules['vetoing_grade']} on)",
        (
            f"- Near copies of training images: "
            f"{'refused' if rules['refuses_copies'] else 'not looked for'}"
        ),
        f"- Considered: {curated_set.considered}, chosen: {curated_set.items.count()}",
    ]
    lines += [f"- Left out: {count}, {reason}" for reason, count in most_first(curated_set.refused)]
    lines.append(f"- Curated set (SHA-256 of rules and items): `{curated_set.sha256}`")
    return "\n".join(lines)


def describe_findings(curated_set: CuratedSet) -> str:
    counts: Counter[str] = Counter()
    for findings in curated_set.items.values_list("candidate__recipe__findings", flat=True):
        counts.update(findings or [NORMAL])
    rows = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return "\n".join(
        ["| finding | images |", "|---|---|", *(f"| {name} | {count} |" for name, count in rows)]
    )


def model_versions(curated_set: CuratedSet) -> list[ModelVersion]:
    """Returns the versions that made the images, each after the versions that it came from."""
    used = ModelVersion.objects.filter(recipes__candidate__curateditem__curated_set=curated_set)
    lineage: dict[int, ModelVersion] = {}
    for version in used.distinct().order_by("pk"):
        for ancestor in version.ancestry:
            lineage.setdefault(ancestor.pk, ancestor)
    return list(lineage.values())


def describe_models(curated_set: CuratedSet) -> str:
    lines = []
    for version in model_versions(curated_set):
        made = curated_set.items.filter(candidate__recipe__model_version=version).count()
        origin = f"fine-tuned from {version.parent.name}" if version.parent else "base model"
        if version.method:
            origin += f" ({version.method})"
        if version.taught_by_simulated_readers:
            origin += ", taught by **simulated readers**"
        lines.append(f"- {version.name}: {origin}; {made} images; weights `{version.sha256}`")
    return "\n".join(lines)


def describe_masks(curated_set: CuratedSet, columns: Columns, table: str) -> str:
    rows = RecipeMask.objects.filter(recipe__candidate__curateditem__curated_set=curated_set)
    cohorts = rows.values_list("parent__cohort_image__cohort__name", flat=True)
    counts = [
        f"- {label_of(kind)}: {rows.filter(kind=kind).count()} images" for kind in columns.kinds
    ]
    text = (
        "Images of the modes `m2i` (mask only) and `tm2i` (text and mask) were made to fit "
        f"masks of their own size, which are here {columns.masks.place}. They "
        "are what was asked for; whether an image fits its masks is another question. Their "
        f"shapes come from the cohort {', '.join(sorted(set(cohorts)))}, transformed as "
        f"`{table}` says; no real image is here."
    )
    return "\n".join([text, "", *counts])


def describe_columns(columns: Columns) -> str:
    """Returns the rows of a table of columns, for what every format's table says of an image."""
    scores = "\n".join(
        f"| {column_of(slug)} | mean over readers of {json.dumps(slug)}, 0 to 5 |"
        for slug in columns.criteria
    )
    masks = "".join(
        f"\n| {columns.masks.column_of(kind)} | {columns.meaning_of_mask(kind)} |"
        f"\n| {transforms_column_of(kind)} | how that mask was transformed (JSON) |"
        for kind in columns.kinds
    )
    repairs = REPAIR_COLUMNS if columns.has_repairs else ""
    if masks:
        masks = f"\n| mode | what it follows: t2i, m2i or tm2i |{masks}"
    return f"""| prompt | what the model was asked for |
| labels | the findings that the prompt names, joined by a bar |
{scores}
| readers | how many readers scored it |
| readers_simulated | true where they were simulated |
| model | the model version that made it |
| seed, sampler, steps, guidance_scale | how it was sampled |
| recipe | SHA-256 of everything that the image follows from |
| pixels_sha256 | SHA-256 of its decoded pixels |{repairs}{masks}"""

"""What a table of any format says of an image: where it comes from and what readers said."""

import json

from feedback_app.curation.models import CuratedItem
from feedback_app.exports.card import Columns, column_of, transforms_column_of
from generation.conditioning.findings import NORMAL


def facts_of_item(item: CuratedItem, columns: Columns) -> dict[str, object]:
    """Cells for a program that has never heard of Reading Room."""
    recipe = item.candidate.recipe
    return {
        "prompt": recipe.prompt,
        "labels": "|".join(recipe.findings) or NORMAL,
        **{column_of(slug): item.mean_scores.get(slug, "") for slug in columns.criteria},
        "readers": item.reader_count,
        "readers_simulated": str(item.curated_set.is_simulated).lower(),
        "model": recipe.model_version.name,
        "seed": recipe.seed,
        "sampler": recipe.sampler,
        "steps": recipe.steps,
        "guidance_scale": recipe.guidance_scale,
        "recipe": recipe.key,
        "pixels_sha256": item.candidate.image.pixels_sha256,
        **repair_cells(item, columns),
        **mask_cells(item, columns),
    }


def repair_cells(item: CuratedItem, columns: Columns) -> dict[str, object]:
    """Nothing where no image of the set is a repair; empty where this one is none."""
    if not columns.has_repairs:
        return {}
    repair = getattr(item.candidate.recipe, "repair", None)
    return {
        "repair_of": repair.original.image.pixels_sha256 if repair else "",
        "repaired_regions": canonical(repair.regions) if repair else "",
    }


def mask_cells(item: CuratedItem, columns: Columns) -> dict[str, object]:
    """Nothing where no image of the set follows a mask; empty where this one follows none."""
    if not columns.kinds:
        return {}
    recipe = item.candidate.recipe
    masks = {mask.kind: mask for mask in recipe.conditioning}
    cells: dict[str, object] = {"mode": recipe.mode}
    for kind in columns.kinds:
        mask = masks.get(kind)
        name = columns.masks.name_of(item, kind) if mask else ""
        cells[columns.masks.column_of(kind)] = name
        cells[transforms_column_of(kind)] = canonical(mask.transforms) if mask else ""
    return cells


def canonical(values: object) -> str:
    return json.dumps(values, sort_keys=True, separators=(",", ":"))

"""Where a format keeps the masks that images follow: its card, tables and page say it alike."""

from collections.abc import Callable
from dataclasses import dataclass

from feedback_app.curation.models import CuratedItem


def mask_column_of(kind: str) -> str:
    return f"mask_{kind}"


def png_of_mask(item: CuratedItem, kind: str) -> str:
    """Returns the path of a mask that is a file of its own."""
    return f"masks/{kind}/{item.candidate.recipe_id}.png"


@dataclass(frozen=True, kw_only=True)
class Masks:
    """A format says here where its masks are.

    ``place`` goes on after “masks”, on the export's page and in its card; ``name_of`` is the cell
    of an image that follows a mask of a kind, in the table's column ``column_of``, of which the
    card says ``meaning``.
    """

    place: str
    meaning: str
    name_of: Callable[[CuratedItem, str], str]
    column_of: Callable[[str], str] = mask_column_of


PNGS = Masks(
    place="as PNGs of 0 and 255 in masks/, by kind",
    meaning="the file of the mask of {kind} that it follows, if any",
    name_of=png_of_mask,
)
"""What formats have in common that keep PNGs beside each other."""

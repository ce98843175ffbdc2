"""What a format of exports has to say of itself."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import QuerySet

from feedback_app.curation.models import CuratedItem, CuratedSet
from feedback_app.exports.archives import Archive
from feedback_app.exports.masks import Masks

Report = Callable[[int], None]
"""Is told how many images are written."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A layout of archives by its name.

    ``opening`` is what one types beside the unzipped folder ``chest-x-rays``; ``suffix`` tells
    the file from those of other layouts.
    """

    name: str
    label: str
    suffix: str
    opening: str


@dataclass(frozen=True, kw_only=True)
class Format(Layout):
    """A layout of curated sets.

    ``write`` puts a set's images, table and card into an archive; its manifest comes after.
    ``masks`` is where the masks are that images follow.
    """

    masks: Masks
    write: Callable[[Archive, CuratedSet, QuerySet[CuratedItem], Report], None]

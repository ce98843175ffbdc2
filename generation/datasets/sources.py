"""The importers by name, and what can be chosen for each."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as validated

from generation.datasets.candid import read_candid
from generation.datasets.chexpert import Views, read_chexpert
from generation.datasets.folder import read_folder
from generation.datasets.labels import Uncertain
from generation.datasets.mapping import read_mapped
from generation.datasets.mimic import read_mimic
from generation.datasets.nih import read_nih
from generation.datasets.openi import read_openi
from generation.datasets.parsed import Source
from generation.datasets.rsna import read_rsna
from generation.datasets.scattered import with_what_is_packed
from generation.datasets.siim import read_siim
from generation.errors import RemediableError


@validated(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class ImportOptions:
    """What was chosen for an import; each is of one or two sources.

    ``mask_kind``: what the masks of a folder show. ``rsna``: the challenge's folder, whose
    boxes come in with NIH's images. ``uncertain`` and ``views``: of CheXpert and MIMIC.
    ``chexmask`` and ``demographics``: CheXmask's file and MIMIC-IV's hospital tables.
    ``mapping``: says what the columns of a folder's table are.
    """

    mask_kind: str = "lungs"
    rsna: Path | None = None
    uncertain: Uncertain = "ones"
    views: Views = "frontal"
    chexmask: Path | None = None
    demographics: Path | None = None
    mapping: Path | None = None


def read_source(source: str, folder: Path, options: ImportOptions) -> Source:
    """Check a data set's layout; its rows are read as they are asked for."""
    if source not in READERS:
        raise RemediableError(
            f"There is no importer {source!r}.", remedy=f"Use one of: {', '.join(READERS)}."
        )
    found = READERS[source](folder, options)
    return replace(found, rows=with_what_is_packed(found.rows, folder))


def _read_mimic(folder: Path, options: ImportOptions) -> Source:
    return read_mimic(
        folder,
        uncertain=options.uncertain,
        views=options.views,
        chexmask=options.chexmask,
        demographics=options.demographics,
    )


def _read_folder(folder: Path, options: ImportOptions) -> Source:
    if options.mapping:
        return read_mapped(folder, options.mapping)
    return read_folder(folder, mask_kind=options.mask_kind)


READERS: dict[str, Callable[[Path, ImportOptions], Source]] = {
    "nih": lambda folder, options: read_nih(folder, rsna=options.rsna),
    "chexpert": lambda folder, options: read_chexpert(
        folder, uncertain=options.uncertain, views=options.views
    ),
    "rsna": lambda folder, _: read_rsna(folder),
    "siim": lambda folder, _: read_siim(folder),
    "candid": lambda folder, _: read_candid(folder),
    "mimic": _read_mimic,
    "openi": lambda folder, _: read_openi(folder),
    "folder": _read_folder,
}

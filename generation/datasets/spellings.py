"""Under which names the tables of a data set and their columns are known.

A data set is passed on by several hands, and each release names its files and columns in its
own way; what says the same is one line here. The first name is the one that is distributed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from generation.datasets.tables import Row, find_table, header_of, named_in, not_a_table
from generation.errors import RemediableError


@dataclass(frozen=True, kw_only=True)
class Spellings:
    """A table's names, and by what they hold the names of its columns.

    ``optional`` columns may be missing.
    """

    tables: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    optional: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Found:
    """A table as it is in a folder; ``columns`` has its own names, by what they hold."""

    path: Path
    columns: Mapping[str, str]


IMAGE_COLUMNS = ("SOPInstanceUID", "anon_SOPUID", "ImageId", "image_id", "SOPUID")
CODE_COLUMNS = ("EncodedPixels", "mask_rle", "rle", "encoded_pixels")

SIIM = Spellings(
    tables=(
        "stage_2_train.csv",  # the first stage's rows, corrected, and those of its test
        "train-rle.csv",
        "train_rle.csv",
        "stage_1_train.csv",
        "stage_2_train-rle.csv",
        "train-rle-sample.csv",
    ),
    columns={"image": ("ImageId", *IMAGE_COLUMNS), "code": CODE_COLUMNS},
)
NIH = Spellings(
    tables=("Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv", "sample_labels.csv"),
    columns={
        "Image Index": ("Image Index",),
        "Finding Labels": ("Finding Labels",),
        "Patient ID": ("Patient ID",),
        "Patient Age": ("Patient Age",),
        "Patient Gender": ("Patient Gender", "Patient Sex"),
        "View Position": ("View Position",),
    },
)
CHEXPERT_TABLES = (
    ("train.csv", "train_cheXbert.csv", "train_visualCheXbert.csv"),
    ("valid.csv", "val.csv", "val_labels.csv"),
    ("test.csv", "test_labels.csv", "groundtruth.csv"),
)
"""Each is looked for by itself, and one of them is enough."""
CHEXPERT_DEMOGRAPHICS = ("CHEXPERT DEMO.csv", "CHEXPERT_DEMO.csv", "chexpertdemo.csv")
MIMIC_VERSIONS = ("2.1.0", "2.0.0")
MIMIC_METADATA, MIMIC_LABELS, MIMIC_SPLIT = (
    tuple(
        f"mimic-cxr-{version}-{part}.csv" for part in parts for version in reversed(MIMIC_VERSIONS)
    )
    for parts in (("metadata",), ("chexpert", "negbio"), ("split",))
)
RSNA_STAGES = ("stage_2", "stage_1")
RSNA_LABELS, RSNA_CLASSES, RSNA_IMAGES = (
    (*(f"{stage}_{what}" for stage in RSNA_STAGES), what)
    for what in ("train_labels.csv", "detailed_class_info.csv", "train_images")
)
OPENI_ARCHIVES = ("NLMCXR_reports.tgz", "NLMCXR_reports.tar.gz", "NLMCXR_reports.tar")
"""They are read as they are."""
CANDID_REPORTS = Spellings(
    tables=("Pneumothorax_reports.csv",),
    columns={"image": IMAGE_COLUMNS, "code": CODE_COLUMNS, "report": ("Report", "Reports")},
    optional={"file": ("filename", "file_name")},
)
CANDID_FRACTURES = Spellings(
    tables=("Rib_fracture_mask_rle.csv", "acute_rib_fracture.csv", "rib_fracture.csv"),
    columns={"image": ("anon_SOPUID", *IMAGE_COLUMNS), "code": ("mask_rle", *CODE_COLUMNS)},
)
CANDID_TUBES = Spellings(
    tables=("chest_tube.csv", "chest_tubes.csv", "Chest_tube_mask_rle.csv"),
    columns={"image": ("anon_SOPUID", *IMAGE_COLUMNS), "code": ("mask_rle", *CODE_COLUMNS)},
)


def as_spelled(row: Row, columns: Mapping[str, str]) -> Row:
    """Returns a row with what it holds under the names that the importer knows."""
    return row | {what: row[name] for what, name in columns.items()}


def find_spelled(folder: Path, spellings: Spellings) -> Found:
    """Returns the table, or a refusal that says all that was looked for."""
    path = find_table(folder, *spellings.tables)
    header = header_of(path)
    columns: dict[str, str] = {}
    for what, names in (*spellings.columns.items(), *spellings.optional.items()):
        known = named_in(header, *names)
        if known is not None:
            columns[what] = known
        elif what in spellings.columns:
            raise RemediableError(
                f"{path.name} has no column {' or '.join(map(repr, dict.fromkeys(names)))}; "
                f"it has {', '.join(header) or 'none'}.{not_a_table(path)}",
                remedy="Fetch the file again as it is distributed, or rename the column.",
            )
    return Found(path=path, columns=columns)

"""The layout of CheXpert (Irvin et al. 2019, 1901.07031): ``train.csv`` and a folder a patient.

Every image is a patient of its own, whom there is not. What its prompt names is 1, and what
it does not is empty, as CheXpert's cells are for what a report does not mention.
"""

from collections.abc import Mapping

from django.db.models import QuerySet

from feedback_app.curation.models import CuratedItem, CuratedSet
from feedback_app.exports.archives import Archive
from feedback_app.exports.card import Columns
from feedback_app.exports.formats.base import Format, Report
from feedback_app.exports.formats.contents import add_card, add_pictures
from feedback_app.exports.masks import PNGS
from feedback_app.exports.rows import facts_of_item
from generation.conditioning.facts import facts_of
from generation.datasets.attributes import LATERAL
from generation.datasets.labels import COLUMNS, MAPPED, NO_FINDING

TABLE = "train.csv"
FOLDER = "chest-x-rays"
LESIONS = frozenset({"mass", "nodule"})
"""What CheXpert calls a lung lesion."""
SEXES = {"F": "Female", "M": "Male", "": "Unknown"}
FILES = f"""`train/` holds the PNGs, a folder a patient as CheXpert has them, `train.csv` one row an
image, `manifest.json` the SHA-256 sum of every file. Paths begin with `{FOLDER}/`: unzip the
archive into a folder of that name. No two images are of one patient, for there is none.

| column | meaning |
|---|---|
| Path | the image's file |
| Sex, Age, Frontal/Lateral, AP/PA | as the prompt has them; empty where it does not say |
| {NO_FINDING} ... | 1.0 for what the prompt names; empty for what it does not |
"""


def write(
    archive: Archive, curated_set: CuratedSet, items: QuerySet[CuratedItem], report: Report
) -> None:
    columns = Columns.of(items, PNGS)
    add_pictures(archive, items, report, name_of=name_of)
    archive.add_table(
        TABLE, ({**labels_of(item), **facts_of_item(item, columns)} for item in items)
    )
    add_card(archive, curated_set, columns, files=FILES, table=TABLE)


def name_of(item: CuratedItem) -> str:
    side = "lateral" if facts_of(item.candidate.recipe.prompt).view == LATERAL else "frontal"
    return f"train/patient{item.position + 1:05d}/study1/view1_{side}.png"


def labels_of(item: CuratedItem) -> Mapping[str, object]:
    """CheXpert's own columns, in their order."""
    facts = facts_of(item.candidate.recipe.prompt)
    is_lateral = facts.view == LATERAL
    return {
        "Path": f"{FOLDER}/{name_of(item)}",
        "Sex": SEXES[facts.sex],
        "Age": "" if facts.age_years is None else facts.age_years,
        "Frontal/Lateral": "Lateral" if is_lateral else "Frontal",
        "AP/PA": "" if is_lateral else facts.view,
        **{name: _cell(name, item.candidate.recipe.findings) for name in COLUMNS},
    }


def _cell(column: str, findings: list[str]) -> str:
    if column == NO_FINDING:
        return "" if findings else "1.0"
    if column == "Lung Lesion":
        return "1.0" if LESIONS & set(findings) else ""
    return "1.0" if MAPPED.get(column) in findings else ""


FORMAT = Format(
    name="chexpert",
    label="CheXpert's layout (zip)",
    suffix="-chexpert",
    opening=f"""python -c "import pandas; print(pandas.read_csv('{FOLDER}/{TABLE}').iloc[0])\"""",
    masks=PNGS,
    write=write,
)

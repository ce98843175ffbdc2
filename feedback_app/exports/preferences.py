"""A snapshot's pairs in the layout that trainers of Diffusion-DPO read.

That of Pick-a-Pic (Kirstain et al. 2023, 2305.01569): a row a pair, the files of its two images
in ``jpg_0`` and ``jpg_1`` as bytes, ``label_0`` 1 where the first is preferred, and ``caption``.
"""

import hashlib
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from django.db.models import QuerySet

from feedback_app.exports.archives import Archive
from feedback_app.exports.card import NOT_CLINICAL, SIMULATED
from feedback_app.exports.croissant import CROISSANT, describe_dataset
from feedback_app.exports.formats import Layout
from feedback_app.exports.front_matter import front_matter
from feedback_app.exports.manifests import MANIFEST, write_manifest
from feedback_app.finetuning.models import Pair, Snapshot
from feedback_app.images.models import CohortImage, Image
from generation.errors import RemediableError

PAIRS_A_FILE = 200
TABLE = "pairs.csv"
LAYOUT = Layout(
    name="preferences",
    label="Preferences for Diffusion-DPO, as Pick-a-Pic has them (zip)",
    suffix="-preferences",
    opening=(
        'python -c "import datasets; '
        "print(datasets.load_dataset('chest-x-rays')['train'][0]['caption'])\""
    ),
)
FILES = f"""`data/` holds Parquet files of at most {PAIRS_A_FILE} pairs, `{TABLE}` the same columns
without pictures, `manifest.json` the SHA-256 sum of every file. A trainer of Diffusion-DPO takes
the unzipped folder as its `--dataset_name`, and `caption` as its column of captions.

| column | meaning |
|---|---|
| caption | the prompt of both images |
| jpg_0, jpg_1 | the files of the two images, PNG in spite of the name; in `data/` alone |
| label_0, label_1 | 1.0 for the image that the reader preferred, 0.0 for the other |
| has_label, are_different | always true: where a reader saw no difference there is no pair |
| best_image_uid | the preferred one's uid |
| image_0_uid, image_1_uid | SHA-256 of the images' files |
| model_0, model_1 | the model versions that made them |
| score_0, score_1 | what the reader's scores came to, or 1 and 0 where they chose |

Which image stands first follows from a hash, so that it says nothing."""


def build(
    snapshot: Snapshot,
    *,
    path: Path,
    report: Callable[[int], None],
    replaced: Mapping[str, str] | None = None,
) -> int:
    """Write the archive of a snapshot's pairs; how many there are in it.

    Pairs with a real image stay out, and the card counts them.
    """
    pairs = list(pairs_of(snapshot))
    left_out = snapshot.pairs.count() - len(pairs)
    if not pairs:
        raise RemediableError(
            f"The snapshot “{snapshot}” holds no pair of synthetic images.",
            remedy="Take one with pairs: readers give them by scoring several images of a prompt.",
        )
    rows = [row_of(pair) for pair in pairs]
    starts = range(0, len(pairs), PAIRS_A_FILE)
    with Archive(path) as archive:
        for number, start in enumerate(starts):
            part = slice(start, start + PAIRS_A_FILE)
            name = f"data/train-{number:05d}-of-{len(starts):05d}.parquet"
            archive.add(name, encode(pairs[part], rows[part]))
            report(min(start + PAIRS_A_FILE, len(pairs)))
        archive.add_table(TABLE, rows)
        archive.add("README.md", write_card(snapshot, rows, left_out=left_out))
        described = describe_dataset(
            archive,
            name=f"preferences-{snapshot.sha256[:8]}",
            description="Preferences between synthetic chest X-rays, of the snapshot "
            f"{snapshot.name}. They show no patient. Not for clinical use.",
            on=snapshot.created_at,
        )
        archive.add(CROISSANT, described)
        about = {
            "format": LAYOUT.name,
            "snapshot": snapshot.name,
            "snapshot_sha256": snapshot.sha256,
            "readers_simulated": snapshot.is_simulated,
        }
        archive.add(MANIFEST, write_manifest(about, files=archive.files, replaced=replaced))
    return len(pairs)


def pairs_of(snapshot: Snapshot) -> QuerySet[Pair]:
    """Returns the pairs of two candidates, neither with a cohort image's pixels, always in one
    order.
    """
    real = CohortImage.objects.values("image__pixels_sha256")
    return (
        snapshot.pairs.filter(winner__candidate__isnull=False, loser__candidate__isnull=False)
        .exclude(winner__pixels_sha256__in=real)
        .exclude(loser__pixels_sha256__in=real)
        .select_related(
            "winner__blob",
            "loser__blob",
            "winner__candidate__recipe__model_version",
            "loser__candidate__recipe__model_version",
            "reading__slot__case",
        )
        .order_by("winner__blob", "loser__blob", "winner_score", "loser_score", "pk")
    )


def sides_of(pair: Pair) -> tuple[Image, Image]:
    """Returns the images of a pair; by a hash the preferred one stands first or second."""
    digest = hashlib.sha256(f"{pair.winner.blob_id} {pair.loser.blob_id}".encode()).digest()
    return (pair.winner, pair.loser) if digest[0] % 2 else (pair.loser, pair.winner)


def row_of(pair: Pair) -> dict[str, object]:
    """Returns the cells of a pair but for its pictures."""
    sides = sides_of(pair)
    labels = [float(image.pk == pair.winner_id) for image in sides]
    scores = {pair.winner_id: pair.winner_score, pair.loser_id: pair.loser_score}
    row: dict[str, object] = {
        "caption": pair.reading.slot.case.prompt,
        "has_label": True,
        "are_different": True,
        "best_image_uid": pair.winner.blob_id,
    }
    for number, (image, label) in enumerate(zip(sides, labels, strict=True)):
        row |= {
            f"label_{number}": label,
            f"image_{number}_uid": image.blob_id,
            f"model_{number}": image.candidate.recipe.model_version.name,
            f"score_{number}": float(scores[image.pk]),
        }
    return row


def encode(pairs: Sequence[Pair], rows: Sequence[Mapping[str, object]]) -> bytes:
    """Returns a Parquet file with a row a pair; the pictures are bytes, as trainers open them."""
    import pyarrow as pa  # slow to import, and only exports need it
    from pyarrow import parquet

    whole = [
        {**row, **{f"jpg_{number}": image.blob.read() for number, image in enumerate(sides)}}
        for row, sides in zip(rows, map(sides_of, pairs), strict=True)
    ]
    file = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(whole), file, compression="none")
    return file.getvalue()


def write_card(snapshot: Snapshot, rows: Iterable[Mapping[str, object]], *, left_out: int) -> bytes:
    models = sorted({str(row[name]) for row in rows for name in ("model_0", "model_1")})
    count = snapshot.pairs.count() - left_out
    facts = [
        f"- Pairs: {count}",
        *([f"- Left out: {left_out} with a real image, which never leaves"] if left_out else []),
        f"- Readers: {'simulated' if snapshot.is_simulated else 'people'}",
        f"- Model versions: {', '.join(models)}",
        f"- Snapshot (SHA-256 of its preferences and ratings): `{snapshot.sha256}`",
    ]
    sections = [
        f"# {snapshot.name}",
        "What readers preferred of two synthetic chest X-rays of one prompt, from Reading Room.",
        *([SIMULATED] if snapshot.is_simulated else []),
        "## Not for clinical use\n\n" + NOT_CLINICAL,
        "## What it was drawn from\n\n" + "\n".join(facts),
        "## Files\n\n" + FILES,
    ]
    front = front_matter(
        name=snapshot.name,
        count=count,
        is_simulated=snapshot.is_simulated,
        data_files=["data/*.parquet"],
    )
    return (front + "\n\n".join(sections) + "\n").encode()

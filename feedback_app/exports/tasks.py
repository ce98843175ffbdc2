"""Writing a curated set out; its handler is free of torch, so that a command can do it quickly."""

from feedback_app.exports.models import Export
from feedback_app.exports.services import count_masks, file_name_of, make_archive
from feedback_app.runs.kinds import handles
from feedback_app.runs.progress import Progress


@handles("export")
def write_export(progress: Progress) -> dict[str, object]:
    export = Export.objects.select_related("curated_set__policy", "snapshot").get(run=progress.run)
    count = make_archive(export, progress=progress)
    assert export.blob is not None
    held: dict[str, object] = {"pairs": count}
    if export.curated_set is not None:
        held = {"images": count, "masks": count_masks(export.curated_set)}
    return {
        **held,
        "file": file_name_of(export),
        "sha256": export.blob.sha256,
        "size_bytes": export.blob.size_bytes,
    }

"""The regions that readers marked, as a snapshot has them."""

from feedback_app.finetuning.models import Snapshot
from generation.errors import RemediableError


def count_marked_pairs(snapshot: Snapshot) -> int:
    """Counts the pairs whose less liked image has marks; a large file is not parsed for it."""
    return snapshot.blob.read().count(b'"loser_marks":')


def require_marks(region_weight: float, snapshot: Snapshot) -> None:
    """Refuse a weight of marked regions where no loser of a pair has any."""
    if region_weight and not count_marked_pairs(snapshot):
        raise RemediableError(
            f"No reader marked a region on the less liked image of a pair of “{snapshot}”.",
            remedy="Leave the weight of marked regions at 0, or flag artefacts where they are; "
            "snapshots taken before regions taught have none.",
        )

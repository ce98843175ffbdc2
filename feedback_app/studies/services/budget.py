"""How long a study will take its readers, at the pace that was seen so far."""

from dataclasses import dataclass
from statistics import median

from feedback_app.studies.models import Slot, StudyMode

SECONDS_AN_IMAGE = 30
"""Assumed where nobody has read in this mode yet."""
LAST_READINGS = 2_000


@dataclass(frozen=True)
class Pace:
    """Seconds a case takes; ``is_seen`` tells a measured pace from an assumed one."""

    seconds: float
    is_seen: bool


def pace_of(mode: StudyMode | str, *, images_per_case: int) -> Pace:
    """The median active time of people's last readings in the mode, skips left out.

    A case of several images is taken to last as long in proportion to their number.
    """
    readings = Slot._meta.get_field("readings").related_model.objects  # type: ignore[union-attr]
    recent = (
        readings.filter(slot__study__mode=mode, is_simulated=False, skip_reason="", active_ms__gt=0)
        .order_by("-created_at")
        .values_list("active_ms", "slot__study__images_per_case")[:LAST_READINGS]
    )
    is_rate_k = mode == StudyMode.RATE_K
    seconds = [ms / 1000 * (images_per_case / images if is_rate_k else 1) for ms, images in recent]
    if not seconds:
        return Pace(seconds=float(SECONDS_AN_IMAGE * images_per_case), is_seen=False)
    return Pace(seconds=median(seconds), is_seen=True)

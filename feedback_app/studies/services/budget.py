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
    recent = (
        Slot.objects.filter(
            study__mode=mode,
            readings__is_simulated=False,
            readings__skip_reason="",
            readings__active_ms__gt=0,
        )
        .order_by("-readings__created_at")
        .values_list("readings__active_ms", "study__images_per_case")[:LAST_READINGS]
    )
    is_rate_k = mode == StudyMode.RATE_K
    seconds = [ms / 1000 * (images_per_case / images if is_rate_k else 1) for ms, images in recent]
    if not seconds:
        return Pace(seconds=float(SECONDS_AN_IMAGE * images_per_case), is_seen=False)
    return Pace(seconds=median(seconds), is_seen=True)

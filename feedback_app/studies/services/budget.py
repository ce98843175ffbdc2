"""How long a study will take its readers, at the pace that was seen so far."""

from dataclasses import dataclass
from statistics import median

from feedback_app.studies.models import Slot
from feedback_app.studies.modes import mode_of

SECONDS_AN_IMAGE = 30
"""Assumed where nobody has read in this mode yet."""
LAST_READINGS = 2_000


@dataclass(frozen=True)
class Pace:
    """Seconds a case takes; ``is_seen`` tells a measured pace from an assumed one."""

    seconds: float
    is_seen: bool


def pace_of(slug: str, *, images_per_case: int) -> Pace:
    """Returns the median active time of people's last readings in the mode, skips left out.

    Where a design says how many images a case shows, it is taken to last in proportion.
    """
    mode = mode_of(slug)
    recent = (
        Slot.objects.filter(
            study__mode=slug,
            readings__is_simulated=False,
            readings__skip_reason="",
            readings__active_ms__gt=0,
        )
        .order_by("-readings__created_at")
        .values_list("readings__active_ms", "study__images_per_case")[:LAST_READINGS]
    )
    images = mode.images_a_case(images_per_case)
    seconds = [ms / 1000 * (images / mode.images_a_case(before)) for ms, before in recent]
    if not seconds:
        return Pace(seconds=float(SECONDS_AN_IMAGE * images), is_seen=False)
    return Pace(seconds=median(seconds), is_seen=True)

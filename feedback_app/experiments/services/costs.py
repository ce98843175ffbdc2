"""What a cell costs: seconds measured so far, or an estimate that is said to be one."""

import hashlib
import json
from dataclasses import dataclass
from statistics import median

from feedback_app.experiments.models import CellResult
from feedback_app.experiments.services.design import Design

ASSUMED_S = 45.0
"""A small network at 128 pixels on two cores; on a GPU it is a fraction of that."""
LOOKED_AT = 200


@dataclass(frozen=True)
class CellCost:
    """``measured`` cells of the same network, resolution and steps are behind it; or none."""

    seconds: float
    measured: int

    @property
    def is_measured(self) -> bool:
        return self.measured > 0


def cost_key(design: Design) -> str:
    """Returns the same for cells that take about as long: all that steps and their price follow
    from.
    """
    setting = {"task": design.task, **design.training}
    return hashlib.sha256(json.dumps(setting, sort_keys=True).encode()).hexdigest()


def cost_of_cell(design: Design) -> CellCost:
    """Returns the median of what such cells took here."""
    done = CellResult.objects.filter(cost_key=cost_key(design)).order_by("-created_at")
    seconds = list(done.values_list("seconds", flat=True)[:LOOKED_AT])
    if not seconds:
        return CellCost(ASSUMED_S, measured=0)
    return CellCost(median(seconds), measured=len(seconds))

"""What a new design begins with: nothing, a ready-made one, a study, or a study's questions."""

from dataclasses import dataclass, field
from typing import Any

from feedback_app.studies.choices import as_uuid
from feedback_app.studies.forms import study_initial
from feedback_app.studies.models import Criterion, Study
from feedback_app.studies.modes.rate import Rate
from feedback_app.studies.scales import FITS_THE_MASK, REALISM, Scale

OF_ITS_OWN = ("name", "batches", "against", "candidates", "sample_size", "shuffle_seed", "due_on")
"""What a copy does not take over: what is shown, by which lot, and until when."""
COPIES_SHOWN = 50


@dataclass(frozen=True)
class Start:
    """Values of the design form's fields, and the criteria that it asks."""

    initial: dict[str, Any] = field(default_factory=dict)
    asked: tuple[Scale | Criterion, ...] = ()


@dataclass(frozen=True)
class Ready:
    """It is a ready-made design under its label."""

    label: str
    start: Start


READY = {
    "fits-the-mask": Ready(
        "Fits the mask",
        Start(
            initial={
                "mode": Rate.slug,
                "instructions": "M shows the mask that an image was made to follow. Score the "
                "image first without it, then how well the masked structure follows it.",
            },
            asked=(REALISM, FITS_THE_MASK),
        ),
    ),
}


def start_of(name: str) -> Start:
    """Returns what ``ready:SLUG``, ``study:KEY`` or ``criteria:KEY`` names, or an empty start."""
    kind, _, key = name.partition(":")
    if kind == "ready" and key in READY:
        return READY[key].start
    pk = as_uuid(key)
    study = Study.objects.filter(pk=pk).first() if pk else None
    if study is None or kind not in {"study", "criteria"}:
        return Start()
    asked = tuple(study.criteria.all())
    copied = study_initial(study)
    kept = copied.keys() - OF_ITS_OWN if kind == "study" else {"mode", "flags"}
    return Start({name: copied[name] for name in kept}, asked)


def starts() -> list[tuple[str, list[tuple[str, str]]]]:
    """Groups of (value, label) to choose among; the newest studies come first."""
    studies = list(Study.objects.values_list("pk", "name")[:COPIES_SHOWN])
    groups = [
        ("Ready-made", [(f"ready:{slug}", ready.label) for slug, ready in READY.items()]),
        ("All of a study", [(f"study:{pk}", name) for pk, name in studies]),
        ("Questions of a study", [(f"criteria:{pk}", name) for pk, name in studies]),
    ]
    return [(label, choices) for label, choices in groups if choices]

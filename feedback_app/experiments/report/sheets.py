"""Some of the images that each arm learns from."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse

from feedback_app.experiments.models import Experiment
from feedback_app.experiments.services.design import design_of
from feedback_app.experiments.services.manifests import thaw
from feedback_app.experiments.services.subsets import training_ids
from feedback_app.experiments.words import ARM_LABELS
from feedback_app.images.models import CohortImage, Image

SHOWN = 12
Address = Callable[[UUID], str]


@dataclass(frozen=True)
class Pictured:
    """``src`` is an address, or a data URI in a report that stands alone."""

    src: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """``is_real``: its images are of patients, and leave with no file."""

    arm: str
    label: str
    note: str
    is_real: bool
    pictures: tuple[Pictured, ...]


def address_of(image: UUID) -> str:
    """Where a coordinator's browser finds it."""
    return reverse("images:file", args=[image])


def embedded(image: UUID) -> str:
    """A synthetic image as a data URI; never a real one."""
    blob = Image.objects.select_related("blob").get(pk=image, cohort_image=None).blob
    return f"data:{blob.media_type};base64,{base64.b64encode(blob.read()).decode()}"


def sheets_of(
    experiment: Experiment, *, address: Address = address_of, shows_real: bool = True
) -> list[Sheet]:
    """Real images of the smallest size and first seed, and the first of each source."""
    found = [_real(experiment, shows_images=shows_real)] if experiment.real_manifest else []
    for source in experiment.sources.all():
        candidates = source.candidates().select_related("recipe")[:SHOWN]
        found.append(
            Sheet(
                arm=source.arm,
                label=ARM_LABELS[source.arm],
                note=f"From the {source.title}; each cell draws its own by seed.",
                is_real=False,
                pictures=tuple(Pictured(address(one.pk), one.recipe.title) for one in candidates),
            )
        )
    if "transformed" in experiment.arms:
        found.append(
            Sheet(
                arm="transformed",
                label=ARM_LABELS["transformed"],
                note="Moved copies of the real images, made as a cell is trained.",
                is_real=True,
                pictures=(),
            )
        )
    return found


def _real(experiment: Experiment, *, shows_images: bool) -> Sheet:
    design = design_of(experiment)
    assert experiment.real_manifest is not None
    size, seed = design.real_sizes[0], design.seeds[0]
    ids = training_ids(
        thaw(experiment.real_manifest),
        findings=design.findings,
        mask_kind=design.mask_kind,
        size=size,
        seed=seed,
    )[:SHOWN]
    rows = CohortImage.objects.filter(cohort=experiment.cohort, source_id__in=ids)
    by_id = {row.source_id: row for row in rows}
    return Sheet(
        arm="real",
        label=ARM_LABELS["real"],
        note=f"Of {experiment.cohort.name}; the first of {size} at seed {seed}.",
        is_real=True,
        pictures=tuple(
            Pictured(address_of(by_id[name].pk), ", ".join(by_id[name].findings) or "no finding")
            for name in ids
            if name in by_id
        )
        if shows_images
        else (),
    )

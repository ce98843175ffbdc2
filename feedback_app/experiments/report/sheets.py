"""Some of the images that each arm learns from."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse

from feedback_app.experiments.labels import ARM_LABELS
from feedback_app.experiments.models import Experiment, ExperimentSource
from feedback_app.experiments.services.design import design_of
from feedback_app.experiments.services.grid import grid_of
from feedback_app.experiments.services.manifests import thaw
from feedback_app.experiments.services.subsets import Subsets
from feedback_app.images.models import CohortImage, Image
from generation.downstream.draws import drawn_images
from generation.specs import Arm

SHOWN = 12
NOTES: dict[Arm, str] = {
    "transformed": "Moved copies of the real images, made as a cell is trained.",
    "own_generator": (
        "Images of a generator for each size and seed that saw nothing but the real images of "
        "its cell: near copies, where these are few."
    ),
}
"""Images of these arms are too near to patients to be shown in a file."""
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
    """Returns a synthetic image as a data URI; never a real one."""
    blob = Image.objects.select_related("blob").get(pk=image, cohort_image=None).blob
    return f"data:{blob.media_type};base64,{base64.b64encode(blob.read()).decode()}"


def sheets_of(
    experiment: Experiment, *, address: Address = address_of, shows_real: bool = True
) -> list[Sheet]:
    """Shows what the smallest cells learn from of real images, and the largest of synthetic ones.

    Both at the first seed; a larger cell's images begin with those of a smaller one.
    """
    found = [_real(experiment, shows_images=shows_real)] if experiment.real_manifest else []
    found += [_synthetic(source, address=address) for source in experiment.sources.all()]
    return found + [
        Sheet(arm=arm, label=ARM_LABELS[arm], note=note, is_real=True, pictures=())
        for arm, note in NOTES.items()
        if arm in experiment.arms
    ]


def _synthetic(source: ExperimentSource, *, address: Address) -> Sheet:
    """A source that is not frozen yet shows its first images."""
    design = design_of(source.experiment)
    candidates = source.candidates().select_related("recipe")
    note = "each cell draws its own by seed"
    if source.manifest is not None:
        places = [place for place in grid_of(design) if place.arm == source.arm]
        place = max(places, key=lambda place: (place.synthetic_count, -place.seed))
        drawn = drawn_images(
            thaw(source.manifest),
            place.synthetic_count,
            findings=design.findings,
            kind=design.mask_kind,
            seed=place.seed,
        )
        candidates = candidates.filter(recipe__in=[row.image_id for row in drawn])
        note = f"some of the {place.synthetic_count} drawn beside {place.real_size} at seed"
        note += f" {place.seed}"
    return Sheet(
        arm=source.arm,
        label=ARM_LABELS[source.arm],
        note=f"From the {source.title}; {note}.",
        is_real=False,
        pictures=tuple(Pictured(address(one.pk), one.recipe.title) for one in candidates[:SHOWN]),
    )


def _real(experiment: Experiment, *, shows_images: bool) -> Sheet:
    design = design_of(experiment)
    assert experiment.real_manifest is not None
    size, seed = design.real_sizes[0], design.seeds[0]
    subsets = Subsets.of(thaw(experiment.real_manifest), design)
    ids = subsets.training_ids(size=size, seed=seed)[:SHOWN]
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

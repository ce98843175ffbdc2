"""Cohorts, sources and results for tests of experiments, without training anything."""

import io
import json
import uuid
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import PIL.Image

from feedback_app.curation.models import CuratedItem, CuratedSet, Policy
from feedback_app.experiments.models import Cell, CellResult, Experiment
from feedback_app.experiments.services.cells import attach
from feedback_app.experiments.services.costs import cost_key
from feedback_app.experiments.services.design import Design, design_of, read_design
from feedback_app.experiments.services.experiments import create_experiment, start_experiment
from feedback_app.images.blobs.services import store, store_image
from feedback_app.images.models import (
    Batch,
    BatchRecipe,
    Candidate,
    Cohort,
    CohortImage,
    ModelVersion,
    Patient,
    Recipe,
)
from feedback_app.runs.models import Run, State
from generation.specs import SampleSpec
from tests.curation.stage import make_version

FINDING = "pneumonia"
PROMPTS = ("chest x-ray, pneumonia, PA view", "chest x-ray, no finding, PA view")
VIEWS, SEXES, AGES = ("PA", "AP"), ("F", "M"), (12, 30, 55, 71)


def noise_png(seed: object, *, side: int = 16) -> bytes:
    randomness = np.random.default_rng(zlib.crc32(str(seed).encode()))
    file = io.BytesIO()
    pixels = randomness.integers(0, 256, (side, side), dtype=np.uint8)
    PIL.Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def make_cohort(
    name: str = "ward", *, source: str = "nih", images_a_patient: int = 1, **splits: int
) -> Cohort:
    """So many patients of each split, every second image with the finding."""
    cohort = Cohort.objects.create(name=name, source=source)
    counts = splits or {"train": 16, "validation": 4, "test": 24}
    number = 0
    for split, count in counts.items():
        for place in range(count):
            patient = Patient.objects.create(
                cohort=cohort,
                source_id=f"{split}-{place}",
                split=split,
                sex=SEXES[place // 2 % 2],
            )
            for _ in range(images_a_patient):
                number += 1
                findings = [FINDING] if number % 2 else []
                CohortImage.objects.create(
                    image=store_image(noise_png(f"{name} {number}"), name="x.png"),
                    cohort=cohort,
                    patient=patient,
                    source_id=f"{name}-{number:04}.png",
                    findings=findings,
                    source_labels={"Finding Labels": findings},
                    view=VIEWS[number % 2],
                    age_years=AGES[place % len(AGES)],
                )
    return cohort


def own_version(cohort: Cohort, *, name: str = "own") -> ModelVersion:
    """A base model that a run trained on a cohort."""
    Run.objects.create(
        kind="pretrain",
        queue="gpu",
        title="Train",
        spec={"name": name, "cohort": cohort.name},
        state=State.SUCCEEDED,
        finished_at=cohort.created_at,
    )
    return ModelVersion.objects.create(
        name=name, location=f"/models/{name}", sha256=uuid.uuid4().hex * 2, method="pretrain"
    )


def make_batch(
    version: ModelVersion | None = None,
    *,
    count: int = 40,
    prompts: Sequence[str] = PROMPTS,
    name: str = "As generated",
) -> Batch:
    """Candidates of noise, of each prompt in turn."""
    made_by = version or make_version(f"base-{uuid.uuid4().hex[:6]}")
    batch = Batch.objects.create(name=name, model_version=made_by)
    for index in range(count):
        sample = SampleSpec(prompt=prompts[index % len(prompts)], seed=index)
        recipe = Recipe.of(made_by, sample)
        recipe.save()
        BatchRecipe.objects.create(batch=batch, recipe=recipe, position=index, prompt_index=index)
        image = store_image(noise_png(f"{recipe.key}"), name="candidate")
        Candidate.objects.create(image=image, recipe=recipe)
    return batch


def curate(
    batch: Batch,
    *,
    name: str = "Good ones",
    measures: Mapping[str, Any] | None = None,
    first: int | None = None,
) -> CuratedSet:
    """A curated set of a batch's candidates, as if readers had admitted the first of them."""
    curated = CuratedSet.objects.create(
        policy=Policy.objects.create(name=name),
        rules={},
        sha256=uuid.uuid4().hex * 2,
        considered=batch.recipes.count(),
    )
    candidates = Candidate.objects.filter(recipe__batches=batch).order_by(
        "recipe__batchrecipe__position"
    )
    CuratedItem.objects.bulk_create(
        CuratedItem(
            curated_set=curated,
            candidate=candidate,
            position=position,
            mean_scores={},
            measures=dict(measures or {}),
            reader_count=1,
        )
        for position, candidate in enumerate(candidates[:first])
    )
    return curated


def design(
    cohort: Cohort, *, curated: CuratedSet | None = None, batch: Batch | None = None, **changes: Any
) -> Design:
    """Two sizes, two ratios, three seeds; arms as there are sources for."""
    arms = ["real", *(["unfiltered"] if batch else []), *(["curated"] if curated else [])]
    sources = [
        {"arm": arm, "kind": kind, "id": str(row.pk)}
        for arm, kind, row in (("unfiltered", "batch", batch), ("curated", "curated_set", curated))
        if row is not None
    ]
    values: dict[str, Any] = {
        "name": "Does it help?",
        "task": "classification",
        "cohort": cohort.name,
        "findings": [FINDING],
        "real_sizes": [4, 8],
        "arms": arms,
        "ratios": [1, 2],
        "seeds": [0, 1, 2],
        "metric": "macro_f1",
        "primary": {"arm": arms[-1], "real_size": 4, "ratio": 1},
        "training": {"network": "tiny", "resolution": 32, "max_steps": 2, "batch_size": 4},
        "sources": sources,
    }
    return read_design(values | changes)


def started(made: Design) -> Experiment:
    experiment = create_experiment(made)
    start_experiment(experiment)
    return experiment


def fill(experiment: Experiment, *, gains: Mapping[str, float], noise: float = 0.4) -> None:
    """Results for every cell, as if trained: a classifier gains so much separation by its arm."""
    rows = test_rows(experiment)
    for cell in experiment.cells.order_by("pk"):
        finish(cell, predictions_of(cell, rows, gain=gains.get(cell.arm, 0.0), noise=noise))


def test_rows(experiment: Experiment) -> list[CohortImage]:
    images = experiment.cohort.images.filter(patient__split="test").select_related("patient")
    return list(images.order_by("source_id"))


test_rows.__test__ = False  # type: ignore[attr-defined]


def predictions_of(
    cell: Cell, rows: Iterable[CohortImage], *, gain: float, noise: float
) -> list[dict[str, Any]]:
    """What is hard about an image is so for every cell; the rest is the seed's and arm's."""
    randomness = np.random.default_rng([cell.seed, cell.real_size, len(cell.arm)])
    found = []
    for row in rows:
        hard = np.random.default_rng(zlib.crc32(row.source_id.encode())).normal(0, 1.2)
        there = FINDING in row.findings
        separation = 0.5 + 0.25 * np.log2(cell.real_size) + gain * np.sqrt(cell.ratio)
        logit = (1 if there else -1) * separation + hard + randomness.normal(0, noise)
        probability = float(1 / (1 + np.exp(-logit)))
        found.append(
            {
                "image_id": row.source_id,
                "patient": row.patient.source_id,
                "view": row.view,
                "sex": row.patient.sex,
                "age_years": row.age_years,
                "truth": {FINDING: int(there)},
                "probability": {FINDING: probability},
                "said": {FINDING: int(probability >= 0.5)},
            }
        )
    return found


def finish(cell: Cell, predictions: Sequence[Mapping[str, Any]]) -> CellResult:
    experiment = cell.experiment
    content = json.dumps(predictions).encode()
    result, _ = CellResult.objects.get_or_create(
        content_hash=cell.content_hash,
        defaults={
            "figures": {"macro_f1": 0.5},
            "best_step": 2,
            "seconds": 12.5,
            "cost_key": cost_key(design_of(experiment)),
            "predictions": store(content, media_type="application/json"),
        },
    )
    Run.objects.filter(cell=cell).update(
        state=State.SUCCEEDED, finished_at=result.created_at, started_at=result.created_at
    )
    return attach(cell, result)

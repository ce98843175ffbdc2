"""An installation can be moved, and a measure that cannot be made fails no batch."""

import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from pytest_django import Settings

from feedback_app.images.models import (
    Batch,
    Candidate,
    Measure,
    ModelVersion,
    Scorer,
    ScorerKind,
)
from feedback_app.images.scorers.services import register_scorer
from feedback_app.images.versions.run_folders import run_folder_with
from feedback_app.images.versions.services import register, require_weights
from feedback_app.runs.children import child_starting
from feedback_app.runs.models import LogLine, Run, State
from feedback_app.runs.services import execute
from generation.commands.run_folder import RunFolder
from generation.downstream.classifier import Classifier, ClassifierConfig, build_densenet
from generation.specs import BenchmarkSpec
from tests.moving import moved
from tests.tiny_model import save_tiny_model

pytestmark = pytest.mark.django_db
Ask = Callable[..., Batch]


@pytest.fixture
def kept_model(storage: Path) -> ModelVersion:
    """A version in the storage, as trainings register theirs."""
    return register("kept", str(save_tiny_model(storage / "models" / "kept")))


@pytest.fixture
def labels(db: None, tmp_path: Path) -> Scorer:
    config = ClassifierConfig(
        findings=("edema", "pneumonia"), resolution=32, network="tiny", validation_auroc=0.5
    )
    Classifier(build_densenet("tiny", outputs=2), config).save(tmp_path / "classifier")
    return register_scorer(
        "labels", tmp_path / "classifier", kind=ScorerKind.CLASSIFIER, figures={}
    )


def made(batch: Batch) -> int:
    for run in batch.runs.all():
        found = execute(run.pk)
        assert found is not None
        assert found.state == State.SUCCEEDED, found.error
    return Candidate.objects.filter(recipe__in=batch.recipes.all()).count()


def test_what_lies_in_the_storage_is_found_where_the_storage_is_now(
    kept_model: ModelVersion, labels: Scorer, storage: Path, settings: Settings, tmp_path: Path
) -> None:
    assert kept_model.location == "data:models/kept"
    assert labels.location.startswith("data:models/scorers/")
    moved(storage, settings, to=tmp_path / "elsewhere")
    require_weights(kept_model)
    assert kept_model.source.base == str(tmp_path / "elsewhere" / "models" / "kept")
    assert (labels.folder / "classifier.json").is_file()


def test_a_run_that_waits_finds_what_it_names_where_the_storage_is_now(
    kept_model: ModelVersion, storage: Path, settings: Settings, tmp_path: Path
) -> None:
    run_dir = run_folder_with(
        BenchmarkSpec(vlm=str(storage / "models" / "kept"), instructions="/data/in", benchmark="b")
    )
    for place in ("elsewhere", "elsewhere/deeper"):
        to = tmp_path / place
        shutil.move(run_dir, tmp_path / "kept-run")
        settings.DATA_ROOT = to
        run_dir = to / "runs" / "one"
        shutil.move(tmp_path / "kept-run", run_dir)
        for _ in range(2):
            child_starting.send(sender=None, run_dir=run_dir)
            spec = RunFolder(run_dir).spec(BenchmarkSpec)
            assert (spec.vlm, spec.instructions) == (f"{to}/models/kept", "/data/in")


def test_absolute_paths_of_before_become_relative(
    kept_model: ModelVersion, labels: Scorer, storage: Path
) -> None:
    elsewhere = register("hub", "owner/name@4f2a")
    ModelVersion.objects.filter(pk=kept_model.pk).update(location=f"{storage}/models/kept")
    Scorer.objects.filter(pk=labels.pk).update(location=str(labels.folder))
    migration = import_module("feedback_app.images.migrations.0008_relative_locations")
    migration.make_relative(apps, None)
    for row in (kept_model, elsewhere):
        row.refresh_from_db()
    assert (kept_model.location, elsewhere.location) == ("data:models/kept", "owner/name@4f2a")
    assert Scorer.objects.get(pk=labels.pk).location == labels.location


@pytest.mark.parametrize(
    "spoil",
    [
        shutil.rmtree,
        lambda folder: (folder / "classifier.json").write_text("<html>"),
        lambda folder: (folder / "classifier.safetensors").write_bytes(b"cut"),
    ],
    ids=["gone", "something else", "cut off"],
)
def test_a_scorer_that_cannot_be_read_fails_no_batch_and_its_measures_are_made_later(
    ask: Ask, labels: Scorer, tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    kept = shutil.copytree(labels.folder, tmp_path / "kept")
    spoil(labels.folder)
    first = ask()
    assert made(first) == 8
    assert not Measure.objects.filter(scorer="label-agreement").exists()
    assert LogLine.objects.filter(text__contains="“labels” cannot be read").exists()
    call_command("measure", now=True)  # it still cannot be, and says so
    assert Scorer.objects.get(pk=labels.pk).owes_measures

    shutil.rmtree(labels.folder, ignore_errors=True)
    shutil.copytree(kept, labels.folder)
    assert made(ask(seed=100)) == 8
    owed = Run.objects.get(kind="measure", state=State.QUEUED)
    execute(owed.pk)
    measured = Measure.objects.filter(scorer="label-agreement").values("image")
    of_pneumonia = Candidate.objects.filter(recipe__findings=["pneumonia"])
    assert of_pneumonia.exclude(image__in=measured).count() == 0
    assert not Scorer.objects.get(pk=labels.pk).owes_measures

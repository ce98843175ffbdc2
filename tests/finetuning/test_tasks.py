"""Fine-tuning as a run, from readings to a child, with a tiny real model."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from django.core.management import call_command
from django.utils import timezone
from safetensors.torch import load_file, save_file

from feedback_app.accounts.models import User
from feedback_app.finetuning.models import Gate, Snapshot
from feedback_app.finetuning.services import finish_finetune, start_finetune, take_snapshot
from feedback_app.finetuning.tasks import ask_gate
from feedback_app.finetuning.tasks import fine_tune as handler
from feedback_app.images.blobs.services import store_image
from feedback_app.images.models import Cohort, CohortImage, ModelVersion, Patient, Split
from feedback_app.images.versions.folders import path_of
from feedback_app.images.versions.services import register
from feedback_app.rehearsal.simulation import simulate_readings, staff_and_open
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run, State
from feedback_app.runs.progress import Progress
from feedback_app.studies.models import Slot, Study
from feedback_app.studies.services import add_cases_from_batch, create_study
from generation.diffusion.loading import load_pipeline
from generation.errors import RemediableError
from tests.finetuning.read_studies import Read, grey_png
from tests.tiny_model import save_tiny_model

TWO_STEPS = {"steps": 2, "batch_size": 2, "rank": 2, "learning_rate": 1e-2}
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("trainings_here")]


@pytest.fixture(scope="module")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def tiny(base: ModelVersion, tiny_folder: Path) -> ModelVersion:
    return register("tiny", str(tiny_folder))


@pytest.fixture
def snapshot(make_study: Callable[..., Study], read: Read, rosa: User) -> Snapshot:
    study = make_study(rosa)
    for slot in Slot.objects.filter(study=study):
        read(slot, [5, 4, 2, 0])
    return take_snapshot(name="Monday", simulated=False)


def test_it_gives_a_child_under_its_parent_that_can_be_loaded(
    tiny: ModelVersion, snapshot: Snapshot
) -> None:
    fine_tune = start_finetune(
        snapshot=snapshot, parent=tiny, method="dpo_margin", settings=TWO_STEPS
    )
    run = runs.execute(fine_tune.run_id)
    assert run is not None
    assert (run.state, run.error) == (State.SUCCEEDED, "")
    fine_tune.refresh_from_db()
    child = fine_tune.model_version
    assert child is not None
    assert (child.name, child.parent, child.method) == ("tiny-1", tiny, "dpo_margin")
    assert not child.taught_by_simulated_readers
    assert {"loss", "accuracy", "margin"} <= run.result.keys()
    assert fine_tune.curve["step"] == [1, 2]
    taught = dict(load_pipeline(child.source).unet.named_parameters())
    changed = [
        name
        for name, weight in load_pipeline(tiny.source).unet.named_parameters()
        if not weight.equal(taught[name])
    ]
    assert changed
    assert all(".to_" in name for name in changed)


def test_the_handler_called_twice_gives_one_child(tiny: ModelVersion, snapshot: Snapshot) -> None:
    fine_tune = start_finetune(
        snapshot=snapshot, parent=tiny, method="dpo_paper", settings=TWO_STEPS
    )
    run = runs.claim(fine_tune.run_id)
    assert run is not None
    with Progress(run) as progress:
        first, second = handler(progress), handler(progress)
    assert first["model_version"] == second["model_version"] == "tiny-1"
    assert ModelVersion.objects.filter(parent=tiny).count() == 1
    Run.objects.filter(pk=run.pk).update(state=State.SUCCEEDED, finished_at=timezone.now())
    asking = runs.claim(Run.objects.get(kind="ask_gate").pk)
    assert asking is not None
    with Progress(asking) as progress:
        assert ask_gate(progress) == ask_gate(progress)
    assert Gate.objects.get().child.name == "tiny-1"


def test_the_gate_is_asked_after_the_fine_tune_alone(
    tiny: ModelVersion, snapshot: Snapshot
) -> None:
    fine_tune = start_finetune(snapshot=snapshot, parent=tiny, method="dpo_paper")
    asking = Run.objects.get(kind="ask_gate")
    assert list(asking.after.all()) == [fine_tune.run]
    assert asking.queue == "cpu"
    runs.cancel(fine_tune.run)
    asking.refresh_from_db()
    assert (asking.state, asking.failed_with) == (State.FAILED, fine_tune.run)
    without = start_finetune(snapshot=snapshot, parent=tiny, method="dpo_paper", asks_gate=False)
    assert not without.run.successors.exists()


def test_the_same_snapshot_parent_and_seed_give_the_same_weights(
    tiny: ModelVersion, snapshot: Snapshot
) -> None:
    adapters = []
    options = [f"--{name.replace('_', '-')}={value}" for name, value in TWO_STEPS.items()]
    for _ in range(2):
        options += ["--parent=tiny", "--method=dpo_margin"]
        call_command("finetune", str(snapshot.pk), *options)
        version = ModelVersion.objects.latest("pk")
        assert version.parent == tiny
        adapters.append(path_of(version.location))
    one, other = (load_file(path / "pytorch_lora_weights.safetensors") for path in adapters)
    assert one.keys() == other.keys()
    assert all(weight.equal(other[name]) for name, weight in one.items())


def test_what_simulated_readers_taught_is_marked_down_the_line(
    tiny: ModelVersion, snapshot: Snapshot, make_batch: Callable[..., object], tmp_path: Path
) -> None:
    study = create_study(name="Simulated")
    add_cases_from_batch(study, make_batch())  # type: ignore[arg-type]
    simulate_readings(staff_and_open(study, reader_count=8))
    simulated = take_snapshot(name="Simulated", simulated=True)
    versions = [tiny]
    for number, taught_on in enumerate((simulated, snapshot)):
        adapter = tmp_path / f"{number}"
        adapter.mkdir()
        save_file({"weight": torch.full((1,), float(number))}, adapter / "adapter.safetensors")
        fine_tune = start_finetune(snapshot=taught_on, parent=versions[-1], method="dpo_margin")
        versions.append(finish_finetune(fine_tune, adapter=adapter))
    assert [version.taught_by_simulated_readers for version in versions] == [False, True, True]
    assert [version.name for version in versions] == ["tiny", "tiny-1", "tiny-1-1"]


def test_other_methods_learn_from_ratings_and_real_images(
    tiny: ModelVersion, snapshot: Snapshot
) -> None:
    fine_tune = start_finetune(
        snapshot=snapshot,
        parent=tiny,
        method="reward_weighted",
        settings=TWO_STEPS,
        real_cohort=make_cohort(images=3),
    )
    run = runs.execute(fine_tune.run_id)
    assert run is not None
    assert (run.state, run.error) == (State.SUCCEEDED, "")
    assert run.result["ratings"] == 8
    assert run.result["real_images"] == 2


def make_cohort(*, images: int) -> Cohort:
    """The last image is of a test patient."""
    cohort = Cohort.objects.create(name="real", source="folder")
    for number in range(images):
        patient = Patient.objects.create(
            cohort=cohort,
            source_id=str(number),
            split=Split.TEST if number == images - 1 else Split.TRAIN,
        )
        CohortImage.objects.create(
            image=store_image(grey_png(500 + number), name="real"),
            cohort=cohort,
            patient=patient,
            source_id=str(number),
        )
    return cohort


def test_an_image_that_is_gone_fails_with_its_name(
    tiny: ModelVersion, snapshot: Snapshot, storage: Path
) -> None:
    blob = snapshot.pairs.first().winner.blob  # type: ignore[union-attr]
    (storage / "blobs" / blob.path).unlink()
    fine_tune = start_finetune(
        snapshot=snapshot, parent=tiny, method="dpo_margin", settings=TWO_STEPS
    )
    run = runs.execute(fine_tune.run_id)
    assert run is not None
    assert run.state == State.FAILED
    assert blob.sha256 in run.error


def test_a_setting_that_there_is_not_is_named(tiny: ModelVersion, snapshot: Snapshot) -> None:
    with pytest.raises(RemediableError, match="momentum"):
        start_finetune(
            snapshot=snapshot, parent=tiny, method="dpo_margin", settings={"momentum": 1}
        )

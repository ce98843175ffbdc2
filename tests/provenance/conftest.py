"""A chain that rests on readings: it leads from pairs of Rosa, Ravi and others to a download."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.curation.services import apply_policy, create_policy
from feedback_app.exports.services import start_export
from feedback_app.finetuning.models import FineTune
from feedback_app.finetuning.services import finish_finetune, start_finetune, take_snapshot
from feedback_app.images.models import ModelVersion
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run, State
from tests import world
from tests.curation.stage import make_version, set_stage
from tests.finetuning.read_studies import base, make_batch, read
from tests.finetuning.read_studies import make_study as make_fours
from tests.provenance.chains import Chain
from tests.studies.making import make_study

__all__ = ["base", "chain", "finish", "make_batch", "make_fours", "read"]


@pytest.fixture
def finish(tmp_path: Path) -> Callable[[FineTune], ModelVersion]:
    """As if the training had run: weights of its own, and a run that has succeeded."""

    def done(fine_tune: FineTune) -> ModelVersion:
        adapter = tmp_path / f"adapter-{fine_tune.pk}"
        adapter.mkdir()
        (adapter / "weights.safetensors").write_bytes(fine_tune.pk.bytes)
        version = finish_finetune(fine_tune, adapter=adapter)
        Run.objects.filter(pk=fine_tune.run_id).update(
            state=State.SUCCEEDED, finished_at=timezone.now()
        )
        fine_tune.refresh_from_db()
        return version

    return done


@pytest.fixture
def chain(rosa: User, ravi: User, finish: Callable[[FineTune], ModelVersion]) -> Chain:
    base = make_version()
    stage = set_stage(rosa, ravi, name="Singles", version=base)
    for index, (by_rosa, by_ravi) in enumerate([(5, 4), (4, 4), (4, 0), (1, 5)]):
        stage.read(rosa, index, by_rosa)
        stage.read(ravi, index, by_ravi)
    pairs = make_study(rosa, ravi, name="Pairs")
    for slot in pairs.slots.all():
        world.read(slot)
    snapshot = take_snapshot(name="Monday", simulated=False)
    child = start_finetune(snapshot=snapshot, parent=base, method="dpo_margin")
    version = finish(child)
    grandchild = start_finetune(
        snapshot=snapshot, parent=version, method="dpo_paper", settings={"steps": 7}
    )
    finish(grandchild)
    policy = create_policy("Night", studies=[stage.study], min_mean_scores={"realism": 3})
    curated_set = apply_policy(policy)
    export = start_export(curated_set)
    runs.execute(export.run_id)
    export.refresh_from_db()
    return Chain(pairs, stage, snapshot, child, grandchild, curated_set, export)

"""The script of docs/API.md, from an empty installation to an export that was held to its sums."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from django.db import connection
from pytest_django.live_server_helper import LiveServer

from feedback_app.accounts.models import User
from feedback_app.accounts.requests import TokenRequest
from feedback_app.accounts.tokens import make_token
from feedback_app.curation.models import CuratedSet
from feedback_app.images.models import ModelVersion, Patient, Split
from feedback_app.images.versions.services import register
from feedback_app.local.homes import CHECKOUT
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run, State
from feedback_app.studies.models import Slot, StudyState
from reading_room import ApiError, Client
from tests.images.cohort_folders import grey, lay_out
from tests.tiny_model import save_tiny_model
from tests.world import read

LIMIT_S = 300
STAGES = ("feature", "autoencoder", "decoder", "denoiser")
SHORTEST = {"resolution": 32, "latent_versions": 2, "batch_size": 2} | {
    f"{stage}_steps": 2 for stage in STAGES
}
NOT_DONE = ("gate", "train_reward_model")
"""What a fine-tune asks for by itself, and the script does not wait for."""


@pytest.fixture
def workers(trainings_here: None) -> Iterator[None]:
    """A thread that does what is queued, and reads what is open for its readers."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.05):
            for run in Run.objects.filter(state=State.QUEUED).exclude(kind__in=NOT_DONE):
                runs.execute(run.pk)
            for slot in Slot.objects.filter(study__state=StudyState.OPEN).unread():
                read(slot)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join(LIMIT_S)


@pytest.mark.slow
def test_the_script_in_the_docs_goes_once_round_the_loop(
    committed: None,
    live_server: LiveServer,
    ada: User,
    rosa: User,
    ravi: User,
    workers: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    register("tiny", str(save_tiny_model(tmp_path / "tiny")))
    lay_out(tmp_path / "ward", {f"{number}.png": grey(number) for number in range(3)}, masks={})
    (tmp_path / "out").mkdir()
    token = make_token(TokenRequest(name="script", role="admin"), owner=ada, by=ada)[1]
    for name, value in {
        "READING_ROOM": live_server.url,
        "READING_ROOM_TOKEN": token,
        "COHORT": str(tmp_path / "ward"),
        "READERS": "rosa,ravi",
        "STEPS": "2",
        "OUT": str(tmp_path / "out"),
    }.items():
        monkeypatch.setenv(name, value)
    (script,) = re.findall(
        r"```python\n(.*?)```", (CHECKOUT / "docs/API.md").read_text(), re.DOTALL
    )
    found: dict[str, object] = {}
    exec(compile(script, "docs/API.md", "exec"), found)
    curated = CuratedSet.objects.get()
    assert curated.items.count() == 4
    assert [path.suffix for path in (tmp_path / "out").iterdir()] == [".zip"]
    promoted = ModelVersion.objects.get(is_promoted=True)
    assert promoted.parent is not None
    assert promoted.parent.name == "tiny"
    room = found["room"]
    assert isinstance(room, Client)
    for split, patient in zip(Split, Patient.objects.order_by("pk"), strict=True):
        Patient.objects.filter(pk=patient.pk).update(split=split)
    made = room.pretrain(cohort="ward", name="mine", settings=SHORTEST)
    assert (made["name"], made["method"]) == ("mine", "pretrain")
    with pytest.raises(LookupError, match="no model version 'yours'"):
        room.train_controlnet("yours", cohort="ward")
    with pytest.raises(ApiError, match="There is no such field") as refused:
        room.post("batches/", {"promtps": []})
    assert refused.value.status == 400
    assert refused.value.fields == {"promtps": ["There is no such field."]}

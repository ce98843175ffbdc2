"""An instruction set of one host is built, asked, taught from and shown on others."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from feedback_app.runs import services as runs
from feedback_app.vlms.asking import SAMPLES, ask_for_instructions
from feedback_app.vlms.models import VlmVersion
from feedback_app.vlms.requests import InstructionRequest
from tests.bucket import Host, environment, host
from tests.generation.vlm.tiny_vlms import write_backbone
from tests.vlms.made import asked_cohort

__all__ = ["environment", "host"]

STEPS = ("language_steps", "encoder_steps", "bridge_steps", "instruction_steps")
TINY = dict.fromkeys(STEPS, 1) | {
    "image_size": 32,
    "width": 16,
    "layers": 1,
    "heads": 2,
    "batch_size": 4,
}


@pytest.mark.usefixtures("trainings_here")
def test_a_set_is_built_asked_and_taught_from_on_hosts_that_share_a_bucket_alone(
    host: Host, tmp_path: Path, ada_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "generation.vlm.model.folders.BUNDLED_VLM", write_backbone(tmp_path / "eye")
    )
    host("web")
    cohort = asked_cohort(test=8)
    row = ask_for_instructions(InstructionRequest(name="November", cohorts=(cohort.name,)))

    built_on = host("builds")
    run = runs.execute(row.run_id)
    assert run is not None and run.state == "succeeded", run and run.error
    assert (row.path / "train").is_dir() and row.path.is_relative_to(built_on)

    taught_on = host("teaches")
    call_command("train_vlm", "mine", "November", **TINY)
    assert row.path.is_relative_to(taught_on)
    fetched = {path.name for path in (taught_on / "blobs").glob("*/*")}
    pictures = set(cohort.images.values_list("image__blob", flat=True))
    assert pictures <= fetched
    assert not list((taught_on / "runs").glob("*/.pinned"))  # may be trimmed from now on

    asked_on = host("asks")
    call_command("benchmark_vlm", "mine", "November")
    result = VlmVersion.objects.get(name="mine").results.get()
    assert result.scores.get(task="sex classification").probe is not None
    assert result.sheet

    web = host("web")
    row.refresh_from_db()
    assert asked_on != web and not (row.path / SAMPLES).exists()
    for name, keys in (("set-sample", [row.pk, 0]), ("picture", [result.pk, 0]),
                       ("set-download", [row.pk])):  # fmt: skip
        answer = ada_client.get(reverse(f"vlms:{name}", args=keys))
        assert b"".join(answer.streaming_content)[:2] in {b"\x89P", b"PK"}  # type: ignore[attr-defined]
    written = tmp_path / "lmms"
    call_command("lmms_eval_task", "November", str(written))
    assert list(written.rglob("*.png"))

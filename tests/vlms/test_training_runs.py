"""VLM versions: trained by a command, registered from a folder, refused where code is needed."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.images.versions.folders import path_of
from feedback_app.runs.models import Run, State
from feedback_app.runs.tasks import execute
from feedback_app.vlms.models import VlmVersion
from tests.generation.vlm.tiny_vlms import tiny_spec, write_backbone, write_instructions
from tests.vlms.made import asked_cohort, built

pytestmark = pytest.mark.django_db
TINY = ("image_size", "width", "layers", "heads", "batch_size", "language_steps", "encoder_steps",
        "bridge_steps", "instruction_steps")  # fmt: skip


@pytest.mark.usefixtures("trainings_here")
def test_a_trained_vlm_is_registered_and_taught_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instructions = write_instructions(tmp_path / "instructions")
    eye = write_backbone(tmp_path / "eye")
    monkeypatch.setattr("generation.vlm.model.folders.BUNDLED_VLM", eye)
    spec = tiny_spec(instructions, eye)
    options = {name: getattr(spec, name) for name in TINY}
    call_command("train_vlm", "first", str(instructions), **options)
    first = VlmVersion.objects.get(name="first")
    assert (first.family, first.parent, len(first.sha256)) == ("llava", None, 64)
    run = Run.objects.get(kind="train_vlm")
    Run.objects.filter(pk=run.pk).update(state=State.QUEUED, finished_at=None)
    execute(run_id=str(run.pk))  # done twice, it registers the same version
    assert VlmVersion.objects.count() == 1
    call_command("train_vlm", "second", str(instructions), parent="first",
                 instruction_steps=2, bridge_steps=0, batch_size=4)  # fmt: skip
    assert VlmVersion.objects.get(name="second").parent == first


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        (("mine", "/nowhere"), {}, "no instructions in /nowhere"),
        (("mine", "HERE"), {"parent": "nobody"}, "no VLM version 'nobody'"),
        (("mine", "HERE"), {"image_size": 33}, "image_size = 33"),
        (("mine", "HERE"), {"width": 10, "heads": 4}, "multiple of heads"),
    ],
)
def test_what_cannot_be_trained_is_named(
    tmp_path: Path, arguments: tuple[str, ...], options: dict[str, object], said: str
) -> None:
    here = str(write_instructions(tmp_path / "instructions"))
    with pytest.raises(CommandError, match=said):
        call_command("train_vlm", *(here if one == "HERE" else one for one in arguments), **options)
    assert not Run.objects.exists()


def test_a_folder_that_needs_code_is_refused_and_its_code_has_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "configuration_chexagent.py").write_text(f"open({str(marker)!r}, 'w').close()\n")
    auto_map = {"AutoConfig": "configuration_chexagent.CheXagentConfig"}
    (folder / "config.json").write_text(
        json.dumps({"model_type": "chexagent", "auto_map": auto_map})
    )
    with pytest.raises(CommandError, match=r"(?s)auto_map.*never run.*bring its answers"):
        call_command("register_vlm", str(folder), name="foreign")
    (folder / "config.json").write_text(json.dumps({"model_type": "llava"}))
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(CommandError, match="safetensors"):
        call_command("register_vlm", str(folder), name="foreign")
    assert not marker.exists()
    assert not VlmVersion.objects.exists()


def test_page_and_program_ask_for_the_training_that_the_command_asks_for(
    cora_client: Client, cora: User, tmp_path: Path
) -> None:
    address = reverse("vlms:train")
    assert b"Build an instruction set" in cora_client.get(address).content
    row = built(asked_cohort(test=4))
    page = cora_client.get(address).content.decode()
    assert "Language steps" in page
    assert 'value="300"' in page
    form = {"name": "by page", "instructions": "November", "parent": "", "width": 256,
            "encoder_steps": 200, "bridge_steps": 7}  # fmt: skip
    assert cora_client.post(address, form).status_code == 302
    program = reverse("api:vlm-train")
    body = {"name": "by program", "instructions": "November", "settings": {"bridge_steps": 7}}
    answer = cora_client.post(program, body, content_type="application/json")
    assert answer.status_code == 202
    one, other = Run.objects.filter(kind="train_vlm").order_by("created_at")
    assert (str(other.pk), other.created_by) == (answer.json()["id"], cora)
    specs = [json.loads((path_of(run.spec["run_dir"]) / "spec.json").read_text())
             for run in (one, other)]  # fmt: skip
    assert specs[0] == specs[1]
    assert specs[0]["instructions"] == str(row.path.resolve())
    bad = body | {"instructions": str(write_instructions(tmp_path / "instructions"))}
    refused = cora_client.post(program, bad, content_type="application/json")
    assert refused.status_code == 400
    assert "by admins alone" in refused.content.decode()
    assert cora_client.post(address, form | {"width": 10, "heads": 4}).status_code == 400

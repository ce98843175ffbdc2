"""Registering and promoting model versions."""

import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback_app.images.models import ModelVersion
from feedback_app.images.versions import folders
from feedback_app.images.versions import services as versions
from feedback_app.images.versions.services import promote, register
from generation.errors import RemediableError
from tests.tiny_model import SIDE, save_tiny_model

pytestmark = pytest.mark.django_db

OUTSIDERS = {"nobody": 302, "rosa": 403, "ravi": 403, "otto": 403}


def test_registering_twice_changes_nothing(tiny_model: Path) -> None:
    first = register("tiny", str(tiny_model))
    assert register("tiny", str(tiny_model)) == first
    assert (first.resolution, len(first.sha256), first.is_promoted) == (SIDE, 64, True)
    assert ModelVersion.objects.count() == 1


def test_other_weights_under_a_known_name_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    register("tiny", str(tiny_model))
    other = save_tiny_model(tmp_path / "other", seed=1)
    with pytest.raises(RemediableError, match="other weights"):
        register("tiny", str(other))


def test_weights_that_moved_keep_their_version(tiny_model: Path, tmp_path: Path) -> None:
    first = register("tiny", str(tiny_model))
    moved = shutil.copytree(tiny_model, tmp_path / "moved")
    (moved / "quality").mkdir()
    (moved / "quality" / "features.safetensors").write_bytes(b"no weights of the model")
    again = register("tiny", str(moved))
    assert (again.pk, again.location) == (first.pk, str(moved))


@pytest.mark.parametrize("location", ["/no/such/folder", "models/typo", "owner/name@"])
def test_an_unknown_path_is_named_with_what_would_do(location: str) -> None:
    with pytest.raises(RemediableError, match="no model at") as caught:
        register("typo", location)
    assert location in str(caught.value)
    assert "owner/name@revision" in caught.value.remedy


def test_a_folder_that_is_no_model_says_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(RemediableError, match=r"model_index\.json"):
        register("empty", str(tmp_path))
    (tmp_path / "model_index.json").write_text("{}")
    with pytest.raises(RemediableError, match="safetensors"):
        register("empty", str(tmp_path))


def test_a_missing_bundled_model_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "BUNDLED_FOLDER", tmp_path)
    with pytest.raises(RemediableError, match="comes with the project"):
        versions.register_bundled()


def test_a_newer_bundled_model_takes_over_and_the_older_keeps_its_name(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "BUNDLED_FOLDER", tiny_model)
    older = versions.register_bundled()
    assert versions.register_bundled() == older
    monkeypatch.setattr(folders, "BUNDLED_FOLDER", save_tiny_model(tmp_path / "new", seed=1))
    newer = versions.register_bundled()
    assert versions.register_bundled() == newer
    older.refresh_from_db()
    assert (older.name, older.is_promoted, newer.is_promoted) == ("bundled", False, True)
    assert newer.name == f"bundled-{newer.sha256[:8]}"
    versions.require_weights(newer)
    with pytest.raises(RemediableError, match="“bundled” are no longer those"):
        versions.require_weights(older)


def test_a_newer_bundled_model_leaves_a_promoted_version_of_ones_own_alone(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "BUNDLED_FOLDER", tiny_model)
    versions.register_bundled()
    own = register("own", str(save_tiny_model(tmp_path / "own", seed=2)))
    promote(own)
    monkeypatch.setattr(folders, "BUNDLED_FOLDER", save_tiny_model(tmp_path / "new", seed=1))
    assert not versions.register_bundled().is_promoted
    own.refresh_from_db()
    assert own.is_promoted


def test_a_hub_id_is_known_by_itself_and_its_revision() -> None:
    one = register("hub", "owner/name@4f2a")
    other = register("hub, later", "owner/name@77b0")
    assert one.sha256 != other.sha256


def test_a_child_of_a_simulated_parent_is_marked_as_one(tiny_model: Path, tmp_path: Path) -> None:
    base = register("tiny", str(tiny_model))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "adapter.safetensors").write_bytes(name.encode())
    child = register("child", str(tmp_path / "one"), parent=base, taught_by_simulated_readers=True)
    grandchild = register("grandchild", str(tmp_path / "two"), parent=child)
    assert grandchild.taught_by_simulated_readers
    assert (grandchild.resolution, grandchild.is_promoted) == (SIDE, False)
    assert not base.taught_by_simulated_readers


def test_one_version_is_promoted(version: ModelVersion) -> None:
    other = register("hub", "owner/name@4f2a")
    promote(other)
    promote(other)
    version.refresh_from_db()
    assert (version.is_promoted, other.is_promoted) == (False, True)


def test_commands_register_and_promote(
    tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("register_model", str(tiny_model), name="tiny")
    call_command("register_model", "owner/name@4f2a", name="hub")
    call_command("promote", "hub")
    assert ModelVersion.objects.get(is_promoted=True).name == "hub"
    with pytest.raises(CommandError, match="Registered: tiny, hub"):
        call_command("promote", "nobody")
    with pytest.raises(CommandError, match="no model at '/nowhere'"):
        call_command("register_model", "/nowhere", name="nowhere")


def test_only_admins_register(everyone: dict[str, Client], tiny_model: Path) -> None:
    registration = reverse("images:register-version")
    data = {"name": "mine", "location": str(tiny_model)}
    for who, status in (OUTSIDERS | {"cora": 403}).items():
        assert everyone[who].get(registration).status_code == status
        assert everyone[who].post(registration, data).status_code == status
    assert not ModelVersion.objects.filter(name="mine").exists()
    assert everyone["ada"].get(registration).status_code == 200
    assert everyone["ada"].post(registration, data).status_code == 302
    assert ModelVersion.objects.filter(name="mine").exists()


def test_a_wrong_path_in_the_form_is_explained_and_stays_in_the_field(ada_client: Client) -> None:
    data = {"name": "mine", "location": "/no/such/folder"}
    page = ada_client.post(reverse("images:register-version"), data)
    assert page.status_code == 400
    assert "There is no model at" in page.content.decode()
    assert 'value="/no/such/folder"' in page.content.decode()

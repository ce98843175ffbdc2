"""What readers prefer is taught to VLMs by trl, taken up where it was left, told to nobody."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import huggingface_hub.utils
import pytest
from PIL import Image
from safetensors.torch import load_file
from trl.trainer import base_trainer

from generation.errors import RemediableError
from generation.specs import VlmPreferenceSpec
from generation.vlm.model.preference_answers import answer_lessons
from generation.vlm.model.preferring import read_lessons, teach
from generation.vlm.model.vlms import load_vlm
from tests.generation.vlm.tiny_families import write_tiny
from tests.generation.vlm.tiny_vlms import (
    picture,
    tiny_spec,
    train_tiny,
    write_backbone,
    write_instructions,
)

SHORT, LONG = "No effusion.", "There is a small effusion on the left side."


@pytest.fixture(scope="module")
def lessons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Readers shorten drafts, and accept what is short."""
    folder = tmp_path_factory.mktemp("lessons")
    rows = []
    for number in range(4):
        path = folder / f"{number}.png"
        Image.fromarray(picture(number)).save(path)
        rows += [{"picture": str(path), "kind": "edit", "text": SHORT, "over": LONG},
                 {"picture": str(path), "kind": "accepted", "text": SHORT, "over": ""}]  # fmt: skip
    (folder / "lessons.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "lessons.jsonl"


@pytest.fixture(autouse=True)
def nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def tell(*_: Any, **__: Any) -> None:
        raise AssertionError("trl told somebody that it was used")

    for place in (base_trainer, huggingface_hub.utils):
        monkeypatch.setattr(place, "send_telemetry", tell)


class KilledError(Exception):
    pass


def taught(
    vlm: Path, lessons: Path, folder: Path, *, killed_at: int | None = None, **settings: Any
) -> Path:
    options = {"steps": 6, "learning_rate": 0.01, "lora_rank": 2, "checkpoint_every": 3}
    spec = VlmPreferenceSpec(vlm=str(vlm), lessons=str(lessons), **options | settings)

    def report(step: int, figures: Mapping[str, float]) -> None:
        if step == killed_at:
            raise KilledError

    teach(spec, checkpoint=folder / "checkpoint", model=folder / "model", report=report)
    return folder / "model"


def margin(vlm: Path, lessons: Path, folder: Path) -> float:
    """By how much it holds the first lesson's text likelier than what it was preferred to."""
    path = folder / f"{vlm.parent.name}.jsonl"
    answer_lessons(load_vlm(str(vlm)), read_lessons(lessons)[:1], path, report=lambda _: None)
    told = json.loads(path.read_text())
    assert isinstance(told["report"], str)
    return float(told["text"] - told["over"])


def test_pairs_teach_and_a_killed_training_ends_in_the_same_weights(
    lessons: Path, tmp_path: Path
) -> None:
    parent = write_tiny("llava", tmp_path / "parent" / "model")
    child = taught(parent, lessons, tmp_path / "child")
    assert margin(child, lessons, tmp_path) > margin(parent, lessons, tmp_path) + 0.1
    assert {path.name for path in parent.iterdir()} <= {path.name for path in child.iterdir()}
    with pytest.raises(KilledError):
        taught(parent, lessons, tmp_path / "again", killed_at=5)
    again = taught(parent, lessons, tmp_path / "again")
    first, second = (load_file(one / "model.safetensors") for one in (child, again))
    assert all(first[name].equal(second[name]) for name in first)
    base = load_file(parent / "model.safetensors")
    changed = {name for name in base if not base[name].equal(first[name])}
    assert changed
    assert not any("vision" in name or "lm_head" in name for name in changed)


@pytest.mark.parametrize("method", ["dpo", "kto"])
def test_a_vlm_that_was_trained_here_is_taught_too(
    method: str, lessons: Path, tmp_path: Path
) -> None:
    spec = tiny_spec(write_instructions(tmp_path / "in"), write_backbone(tmp_path / "eye"))
    parent = train_tiny(spec, tmp_path / "work")
    child = taught(parent, lessons, tmp_path / "child", method=method)
    assert margin(child, lessons, tmp_path) > margin(parent, lessons, tmp_path)


def test_single_texts_teach_another_family_where_both_kinds_are_there(
    lessons: Path, tmp_path: Path
) -> None:
    parent = write_tiny("qwen2_vl", tmp_path / "parent" / "model")
    child = taught(parent, lessons, tmp_path / "child", method="kto", batch_size=3)
    assert margin(child, lessons, tmp_path) > margin(parent, lessons, tmp_path)
    accepted = tmp_path / "accepted.jsonl"
    accepted.write_text("".join(lessons.read_text().splitlines(keepends=True)[1::2]))
    with pytest.raises(RemediableError, match="unwanted"):
        taught(parent, accepted, tmp_path / "none", method="kto")
    with pytest.raises(RemediableError, match="fewer than two"):
        taught(parent, accepted, tmp_path / "none")

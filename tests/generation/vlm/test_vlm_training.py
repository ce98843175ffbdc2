"""A VLM is taught in four stages, and asked."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from generation.vlm.model.assembly import Shape, assemble, give_backbone
from generation.vlm.model.rows import captions, read_rows, statements
from generation.vlm.model.vlms import Asked, OwnVlm, Vlm, load_vlm
from tests.generation.vlm.tiny_vlms import (
    picture,
    tiny_spec,
    train_tiny,
    write_backbone,
    write_instructions,
)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Instructions and a backbone."""
    folder = tmp_path_factory.mktemp("vlm")
    return write_instructions(folder / "instructions"), write_backbone(folder / "eye")


@pytest.fixture(scope="module")
def model(given: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_tiny(tiny_spec(*given), tmp_path_factory.mktemp("whole"))


def _part(name: str) -> str:
    known = {"backbone": "backbone", "adapter": "adapter", "projector": "bridge"}
    return next((part for word, part in known.items() if word in name), "decoder")


def test_a_query_transformer_and_lora_by_choice(given: tuple[Path, Path], tmp_path: Path) -> None:
    vlm = load_vlm(str(train_tiny(tiny_spec(*given, queries=3, lora_rank=2), tmp_path)))
    assert vlm.model.config.image_seq_length == 3
    choice = vlm.choose([Asked(question="View?", options=("PA", "AP"), pictures=(picture(0),))])[0]
    assert sum(choice.probabilities) == pytest.approx(1)


def test_a_trained_model_is_taught_on(
    given: tuple[Path, Path], model: Path, tmp_path: Path
) -> None:
    further = train_tiny(tiny_spec(*given, base=str(model), encoder_steps=0), tmp_path)
    before, after = (load_file(folder / "model.safetensors") for folder in (model, further))
    changed = {_part(name) for name in before if not before[name].equal(after[name])}
    assert changed == {"bridge", "decoder"}


def test_an_eye_is_taken_from_a_vlm_that_was_trained_here(model: Path) -> None:
    vlm = load_vlm(str(model))
    shape = Shape(width=16, layers=1, heads=2)
    other = assemble(vlm.processor.tokenizer, vlm.model.config.vision_config, shape, seed=5)
    give_backbone(other, model)
    for name, weight in vlm.model.model.vision_tower.backbone.state_dict().items():
        assert weight.equal(other.model.vision_tower.backbone.state_dict()[name])


def test_the_same_scores_come_of_batches_and_of_transformers_alone(model: Path) -> None:
    vlm = load_vlm(str(model))
    assert isinstance(vlm, OwnVlm)
    shown = picture(1)
    asked = [
        Asked(question="Which view?", options=("PA", "AP"), pictures=(shown,)),
        Asked(question="How old?", options=("40 to 64", "no", "yes"), pictures=(shown,)),
        Asked(question="Is this normal?", options=("no", "yes")),
    ]
    for own, plain in zip(
        vlm.scores(asked), Vlm(vlm.model, vlm.processor).scores(asked), strict=True
    ):
        assert np.allclose(own, plain, atol=0.02)
    assert vlm.embed([shown, picture(2)]).shape == (2, 8)
    assert isinstance(vlm.describe([shown])[0], str)


def test_rows_say_what_is_true_of_a_picture(given: tuple[Path, Path]) -> None:
    rows = read_rows(given[0], "train")
    said = statements(rows)["made/1.png"]
    assert said == {"view PA": True, "view AP": False, "pneumonia": True, "no finding": False}
    caption = captions(rows)[1]
    assert (caption.images, caption.answer) == (("made/1.png",), "chest x-ray, pneumonia, PA view")

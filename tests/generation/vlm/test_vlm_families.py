"""Models of other families are loaded by transformers' own classes, asked and benchmarked."""

import json
from pathlib import Path

import pytest
from PIL import Image

from generation.errors import RemediableError
from generation.vlm.benchmark.answers import read_answers, score
from generation.vlm.benchmark.items import Benchmark, Question, freeze, with_blind_images
from generation.vlm.benchmark.scoring import TaskFigures
from generation.vlm.model.benchmarking import write_answers
from generation.vlm.model.folders import FAMILIES, require_loadable
from generation.vlm.model.vlms import OwnVlm, load_vlm
from tests.generation.vlm.tiny_families import MAKERS, write_tiny
from tests.generation.vlm.tiny_vlms import picture


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> tuple[Benchmark, dict[str, Path]]:
    """Two patients' views."""
    folder = tmp_path_factory.mktemp("benchmark")
    for number in range(2):
        Image.fromarray(picture(number)).save(folder / f"{number}.png")
    questions = [
        Question(id=str(number), task="view classification", source="made", patient=str(number),
                 kind="choice", images=(f"made/{number}.png",), question="Which view is this?",
                 options=("PA", "AP"), answer="PA")
        for number in range(2)
    ]  # fmt: skip
    return freeze(with_blind_images(questions), folder / "frozen"), {"made": folder}


def test_every_supported_family_has_a_tiny_model() -> None:
    assert set(FAMILIES) == set(MAKERS)


@pytest.mark.parametrize("family", MAKERS)
def test_a_tiny_model_of_each_family_is_loaded_asked_and_benchmarked(
    family: str, benchmark: tuple[Benchmark, dict[str, Path]], tmp_path: Path
) -> None:
    frozen, folders = benchmark
    vlm = load_vlm(str(write_tiny(family, tmp_path / "model")))
    assert not isinstance(vlm, OwnVlm)
    assert write_answers(vlm, frozen.questions, folders, tmp_path / "answers.jsonl") == 4
    answers = read_answers(tmp_path / "answers.jsonl", frozen)
    figures = score(frozen, answers)["view classification"]["made"]
    assert isinstance(figures, TaskFigures)
    assert figures.unparsable == 0
    assert figures.blind is not None
    assert vlm.embed([picture(0)]).shape == (1, 16)


def test_code_beside_weights_is_refused_by_the_loader_too(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "phi", "auto_map": {"AutoConfig": "evil.Config"}})
    )
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    with pytest.raises(RemediableError, match="auto_map"):
        load_vlm(str(tmp_path))
    (tmp_path / "config.json").write_text("[" * 100_000)
    with pytest.raises(RemediableError, match="cannot be read"):
        require_loadable(tmp_path)
    assert not (tmp_path / "ran").exists()

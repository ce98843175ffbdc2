"""A judge says whether what a prompt names can be seen, and how far real images reach."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from generation.conditioning.facts import NO_OTHER, PromptFacts, absence
from generation.vlm.judge import Judge, round_trip, teach, validate_absence, with_more
from generation.vlm.model.backbone import CHANNELS
from generation.vlm.model.rows import Row
from generation.vlm.model.vlms import OwnVlm, load_vlm
from generation.vlm.sides import SideFigures, side_area, sides_of, teach_side
from tests.generation.vlm.tiny_vlms import (
    picture,
    tiny_spec,
    train_tiny,
    write_backbone,
    write_instructions,
)

IMAGES = 120


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """Taught on what an eye might have seen: some numbers tell the view, none the finding."""
    folder = tmp_path_factory.mktemp("judge")
    steps = dict.fromkeys(("language_steps", "encoder_steps", "instruction_steps"), 0)
    instructions = write_instructions(folder / "instructions")
    spec = tiny_spec(instructions, write_backbone(folder / "eye"), bridge_steps=0, **steps)
    model = train_tiny(spec, folder)
    vlm = load_vlm(str(model))
    assert isinstance(vlm, OwnVlm)
    generator = np.random.default_rng(0)
    cells = generator.normal(size=(IMAGES, CHANNELS)).astype(np.float32)
    is_pa, has_it = generator.random((2, IMAGES)) < 0.5
    cells[:, :100] += 3 * is_pa[:, None]
    said = [{"view PA": bool(pa), "pneumonia": bool(ill), "rare": False}
            for pa, ill in zip(is_pa, has_it, strict=True)]  # fmt: skip
    return teach(vlm, str(model), cells, said, np.arange(IMAGES) % 4 == 0)


def test_held_out_images_say_how_well_each_phrase_is_told(judge: Judge) -> None:
    assert judge.facts.phrases == ("pneumonia", "view PA")
    assert judge.facts.auroc["view PA"] > 0.95
    assert 0.2 < judge.facts.auroc["pneumonia"] < 0.8
    assert judge.facts.held_out == IMAGES // 4


def test_an_attribute_is_reached_from_where_real_images_are(judge: Judge) -> None:
    least = judge.facts.thresholds["view PA"]
    wanted = PromptFacts(findings=("pneumonia", "mass"), view="PA", age_years=50)
    for probability, is_reached in ((least + 0.001, True), (least - 0.001, False)):
        seen = judge.attribute("view", wanted, {"view PA": probability, "pneumonia": 0.5})
        assert seen is not None
        assert (seen.is_reached, seen.probability) == (
            is_reached,
            pytest.approx(probability, abs=1e-5),
        )
    finding = judge.attribute("finding", wanted, {"view PA": 0.5, "pneumonia": 0.25})
    assert finding is not None
    assert (finding.phrase, finding.probability) == ("pneumonia", 0.25)
    assert judge.attribute("age", wanted, {"view PA": 0.5}) is None


def test_absence_is_what_the_likeliest_other_finding_leaves(judge: Judge) -> None:
    found = {"pneumonia": 0.9, "edema": 0.3, "effusion": 0.1, "no finding": 0.8, "view PA": 0.99}
    wanted = PromptFacts(findings=("pneumonia",))
    assert absence(wanted, found) == pytest.approx({NO_OTHER: 0.7, "edema": 0.3})
    assert absence(PromptFacts(findings=("pneumonia", "edema", "effusion")), found) == {}
    assert judge.attribute("absence", wanted, found) is None  # never validated
    said = [{"pneumonia": bool(number % 2)} for number in range(IMAGES)]
    cells = np.random.default_rng(1).normal(size=(IMAGES, CHANNELS)).astype(np.float32)
    assert validate_absence(judge, cells, said) is None  # it knows no second finding


def test_a_side_is_told_by_the_difference_of_the_halves() -> None:
    generator = np.random.default_rng(0)
    cells = generator.normal(size=(IMAGES, 5, CHANNELS)).astype(np.float32)
    is_left = generator.random(IMAGES) < 0.5
    cells[:, 1:3, 0] += 2  # what lies above on both sides tells nothing
    cells[is_left, 4, 1:40] += 2  # the patient's left is on the picture's right
    cells[~is_left, 3, 1:40] += 2
    found = teach_side(cells, is_left, np.arange(IMAGES) % 4 == 0, reference=0.05)
    assert found is not None
    head, figures = found
    assert figures.area > 0.95
    assert side_area(head, cells[:, [0, 2, 1, 4, 3]], ~is_left) == pytest.approx(1, abs=0.05)
    assert teach_side(cells[:30], is_left[:30], np.arange(30) % 2 == 0, reference=0.05) is None


def test_sides_are_those_of_boxes_or_of_words() -> None:
    def row(picture: str, task: str, answer: str) -> Row:
        return Row(id="", source="", task=task, patient="", images=(picture,), stem="",
                   answer=answer)  # fmt: skip

    rows = [
        row("a", "impression generation", "PTB in the left upper field"),
        row("b", "impression generation", "Infiltrate RUL; bilateral scars"),
        row("c", "findings generation", "normal"),
        row("d", "abnormality grounding", "[10, 20, 40, 60]"),
        row("e", "abnormality grounding", "[[10, 20, 40, 60], [60, 20, 90, 60]]"),
        row("d", "impression generation", "left effusion"),
    ]
    assert sides_of(rows) == {"a": True, "d": False}


def test_a_saved_judge_says_the_same(judge: Judge, tmp_path: Path) -> None:
    side = torch.nn.Linear(CHANNELS, 1).requires_grad_(False)
    figures = SideFigures(area=0.8, elsewhere=0.7, thresholds={"side left": 0.4})
    judge = with_more(judge, others=(0.6, 0.2), side=(side, figures))
    assert (judge.facts.auroc[NO_OTHER], judge.facts.auroc["side left"]) == (0.6, 0.7)
    judge.save(tmp_path)
    pictures = [picture(0), picture(1)]
    again: list[dict[str, Any]] = Judge.load(tmp_path).probabilities(pictures)
    for one, other in zip(judge.probabilities(pictures), again, strict=True):
        assert one == pytest.approx(other)


def test_pictures_pass_through_an_autoencoder() -> None:
    class Half(torch.nn.Module):
        """Gives back half of the contrast."""

        def encode(self, values: torch.Tensor) -> Any:
            half = values / 2
            mode = type("Distribution", (), {"mode": lambda _: half})()
            return type("Encoded", (), {"latent_dist": mode})()

        def decode(self, values: torch.Tensor) -> Any:
            return type("Decoded", (), {"sample": values})()

    passed = round_trip(Half(), [np.full((9, 9), 255, dtype=np.uint8)], side=8)
    assert passed[0].shape == (8, 8)
    assert passed[0].dtype == np.uint8
    assert passed[0][0, 0] == 191

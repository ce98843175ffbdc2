"""Candidates are measured by a judge of what their prompts name, where it is good enough."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from django.core.management import call_command

from feedback_app.images.models import Batch, Measure, Scorer
from feedback_app.images.scorers.judges import register_judge
from feedback_app.runs.tasks import execute
from generation.errors import RemediableError
from generation.vlm.judge import Heads, Judge, JudgeFacts
from generation.vlm.model.backbone import CHANNELS
from generation.vlm.model.vlms import load_vlm
from tests.generation.vlm.tiny_vlms import (
    tiny_spec,
    train_tiny,
    write_backbone,
    write_instructions,
)

pytestmark = pytest.mark.django_db
AREAS = {"view PA": 0.99, "sex male": 0.7, "pneumonia": 0.9, "no finding": 0.9}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A judge that finds everything as likely as not."""
    steps = dict.fromkeys(("language_steps", "encoder_steps", "bridge_steps"), 0)
    instructions = write_instructions(tmp_path / "instructions")
    spec = tiny_spec(instructions, write_backbone(tmp_path / "eye"), instruction_steps=0, **steps)
    model = train_tiny(spec, tmp_path / "run")
    heads = Heads(CHANNELS, len(AREAS))
    torch.nn.init.zeros_(heads.weight)
    torch.nn.init.zeros_(heads.bias)
    known = AREAS | {"no other finding": 0.7, "side left": 0.6}
    facts = JudgeFacts(eye=str(model), phrases=tuple(AREAS), auroc=known, held_out=9,
                       thresholds=dict.fromkeys(known, 0.4))  # fmt: skip
    Judge(load_vlm(str(model)).model.model.vision_tower, heads, facts).save(tmp_path / "judge")
    return tmp_path / "judge"


def test_a_judge_measures_what_it_can_tell_and_no_more(
    made: Path, ask: Callable[..., Batch], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("register_judge", made, name="mine")
    assert set(Scorer.objects.values_list("kind", flat=True)) == {
        "visible-view", "visible-finding", "visible-absence",
    }  # fmt: skip
    told = capsys.readouterr().out
    assert "not active: visible-sex (0.7)" in told
    assert "not active: visible-side (0.6)" in told
    prompts = ("chest x-ray, pneumonia, PA view, male", "chest x-ray, mass")
    batch = ask(prompts=prompts, per_prompt=1)
    execute(run_id=str(batch.runs.get().pk))
    measures = Measure.objects.filter(scorer__startswith="visible-")
    found = {measure.scorer: measure for measure in measures}
    assert set(found) == {"visible-view", "visible-finding", "visible-absence"}
    assert len(measures) == 3  # nothing is known of a mass, nor of the other one's view
    assert found["visible-absence"].details["phrases"] == {
        "no other finding": 0.5, "pneumonia": 0.5,
    }  # fmt: skip
    assert found["visible-view"].value == 0.5
    assert found["visible-finding"].details == {
        "phrase": "pneumonia", "probability": 0.5, "threshold": 0.4, "is_reached": True,
        "phrases": {"no finding": 0.5, "pneumonia": 0.5},
    }  # fmt: skip
    register_judge("mine", made)
    assert Scorer.objects.count() == 3


def test_what_is_no_judge_is_named(tmp_path: Path) -> None:
    (tmp_path / "judge.json").write_text('{"auroc": [1]}')
    with pytest.raises(RemediableError, match="holds no judge"):
        register_judge("mine", tmp_path)

"""What readers prefer among reports, taught by trl: DPO from pairs, KTO from single texts.

The decoder alone learns, through an adapter (LoRA) that is merged at the end, so that the child
is a folder like its parent. The reference that both methods hold on to is the parent: the same
network without the adapter. Nothing is reported to anybody.
"""

import json
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets
import torch
from peft import LoraConfig
from torch import nn
from transformers import TrainerCallback
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer

from generation.errors import RemediableError
from generation.specs import REPORT_PROMPT, VlmPreferenceSpec
from generation.vlm.model.folders import place_of
from generation.vlm.model.vlms import OwnVlm, Vlm, load_vlm

DECODERS = ("language_model", "text_model")
"""What families call their decoder."""
WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".safetensors.index.json", ".bin.index.json")
CODE = ".py"
POINTS = 200
"""A curve has so many at most."""
CURVES = {"loss": "loss", "rewards/margins": "margin", "rewards/accuracies": "accuracy"}

Lesson = Mapping[str, Any]
Report = Callable[[int, Mapping[str, float]], None]


class _Untold:
    """A trainer that tells nobody outside that it is used."""

    def _send_telemetry(self) -> None:
        pass


class PairTrainer(_Untold, DPOTrainer):
    """trl's direct preference optimisation."""


class TextTrainer(_Untold, KTOTrainer):
    """trl's Kahneman-Tversky optimisation."""


class _Telling(TrainerCallback):
    def __init__(self, report: Report) -> None:
        self.report = report

    def on_log(self, _: Any, state: Any, __: Any, logs: Mapping[str, float], **___: Any) -> None:
        figures = {named: logs[name] for name, named in CURVES.items() if name in logs}
        self.report(state.global_step, figures)


def read_lessons(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def teach(
    spec: VlmPreferenceSpec, *, checkpoint: Path, model: Path, report: Report
) -> dict[str, dict[str, list[float]]]:
    """Write the child's folder, and give the curves; what was stopped is taken up again."""
    vlm = load_vlm(spec.vlm)
    dtype = vlm.model.dtype
    trainer = _trainer(vlm, spec, checkpoint)
    trainer.add_callback(_Telling(report))
    trainer.train(resume_from_checkpoint=_last(checkpoint))
    network = trainer.model.merge_and_unload()
    _save(network.to(torch.float16 if isinstance(vlm, OwnVlm) else dtype), spec, model)
    return _curves(trainer.state.log_history)


def _trainer(vlm: Vlm, spec: VlmPreferenceSpec, checkpoint: Path) -> Any:
    lessons = read_lessons(Path(spec.lessons))
    rows = pairs(vlm, lessons) if spec.method == "dpo" else texts(vlm, lessons)
    random.Random(spec.seed).shuffle(rows)  # KTO takes them in their order
    if len(rows) < 2:
        raise RemediableError(
            "There are fewer than two lessons.", remedy="Take a snapshot of more readings."
        )
    on_gpu = vlm.model.device.type == "cuda"
    if not on_gpu:
        vlm.model.float()
    shared: dict[str, Any] = {
        "output_dir": str(checkpoint),
        "max_steps": spec.steps,
        "per_device_train_batch_size": min(spec.batch_size, len(rows)),
        "dataloader_drop_last": True,
        "learning_rate": spec.learning_rate,
        "beta": spec.beta,
        "max_length": None,
        "seed": spec.seed,
        "save_steps": spec.checkpoint_every,
        "save_total_limit": 1,
        "logging_steps": 1,
        "report_to": [],
        "disable_tqdm": True,
        "use_cpu": not on_gpu,
        "bf16": on_gpu,
        "gradient_checkpointing": on_gpu,
    }
    kind, settings = (
        (PairTrainer, DPOConfig(**shared))
        if spec.method == "dpo"
        else (TextTrainer, KTOConfig(**shared, **balance(rows)))
    )
    data = datasets.Dataset.from_list(rows)
    return kind(
        model=vlm.model.train(),
        args=settings,
        train_dataset=data.cast_column("images", datasets.List(datasets.Image())),
        processing_class=vlm.processor,
        peft_config=LoraConfig(
            r=spec.lora_rank, lora_alpha=2 * spec.lora_rank, target_modules=layers_of(vlm.model)
        ),
    )


def pairs(vlm: Vlm, lessons: Sequence[Lesson]) -> list[dict[str, Any]]:
    """Returns what was preferred to what; drafts that were accepted say nothing here."""
    prompt, end = worded(vlm)
    return [
        {"images": [one["picture"]], "prompt": prompt, "chosen": one["text"] + end,
         "rejected": one["over"] + end}
        for one in lessons
        if one["over"]
    ]  # fmt: skip


def texts(vlm: Vlm, lessons: Sequence[Lesson]) -> list[dict[str, Any]]:
    """Texts of drafts: wanted where they were accepted or what became of one, else unwanted."""
    prompt, end = worded(vlm)
    said = [
        (one["picture"], text, is_wanted)
        for one in lessons
        if one["kind"] != "choice"
        for text, is_wanted in ((one["text"], True), (one["over"], False))
        if text
    ]
    return [
        {"images": [picture], "prompt": prompt, "completion": text + end, "label": is_wanted}
        for picture, text, is_wanted in said
    ]


def balance(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Weights by which what is wanted and what is not weigh the same in all."""
    wanted = sum(row["label"] for row in rows)
    unwanted = len(rows) - wanted
    if not (wanted and unwanted):
        missing = "wanted" if unwanted else "unwanted"
        raise RemediableError(
            f"No text of these lessons was {missing}, and KTO learns from both kinds.",
            remedy="Take a snapshot with drafts that were changed, or teach from pairs by DPO.",
        )
    return {
        "desirable_weight": max(1.0, unwanted / wanted),
        "undesirable_weight": max(1.0, wanted / unwanted),
    }


def worded(vlm: Vlm) -> tuple[str, str]:
    """Returns the prompt as the model is asked it, tokens at its start included, and an
    answer's end.
    """
    words = vlm.processor.tokenizer
    opening = words.decode(words("").input_ids)
    return opening + vlm.prompt(REPORT_PROMPT, pictures=1), words.eos_token


def layers_of(network: nn.Module) -> list[str]:
    """Returns the names of the decoder's linear layers."""
    return [
        name
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Linear) and any(part in DECODERS for part in name.split("."))
    ]


def _last(checkpoint: Path) -> str | None:
    """Returns the newest state that was written whole: its ``trainer_state.json`` is written
    last.
    """
    whole = [path.parent for path in checkpoint.glob("checkpoint-*/trainer_state.json")]
    return str(max(whole, key=lambda path: int(path.name.split("-")[1]))) if whole else None


def _save(network: Any, spec: VlmPreferenceSpec, model: Path) -> None:
    """The weights anew, and beside them what the parent's folder has; whole or not at all."""
    partial = model.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    network.save_pretrained(partial)
    for path in place_of(spec.vlm).iterdir():
        is_other = path.is_file() and not path.name.endswith((*WEIGHTS, CODE))
        if is_other and not (partial / path.name).exists() and path.name != "README.md":
            shutil.copyfile(path, partial / path.name)
    shutil.rmtree(model, ignore_errors=True)
    partial.rename(model)


def _curves(history: Sequence[Mapping[str, float]]) -> dict[str, dict[str, list[float]]]:
    rows = [row for row in history if "loss" in row]
    chosen = rows[:: max(1, len(rows) // POINTS)]
    curve = {"step": [float(row["step"]) for row in chosen]}
    for name, named in CURVES.items():
        curve[named] = [float(row[name]) for row in chosen if name in row]
    return {"preferences": curve}

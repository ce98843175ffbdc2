"""How likely a VLM holds reports that readers preferred, and what it writes itself."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from generation.specs import REPORT_PROMPT
from generation.vlm.model.vlms import Asked, Vlm

LONGEST_REPORT = 192
"""Tokens of a report that is written to be judged."""
TYPES = ("token_type_ids", "mm_token_type_ids")


def answer_lessons(
    vlm: Vlm,
    lessons: Sequence[dict[str, Any]],
    path: Path,
    *,
    report: Callable[[int], None],
) -> None:
    """A line a lesson: ``text`` and ``over`` as log likelihoods, ``report`` as it writes it.

    What a process that was killed has written is kept.
    """
    kept = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
    whole = [line for line in kept if line.endswith("\n")]
    path.write_text("".join(whole), encoding="utf-8")
    with path.open("a", encoding="utf-8") as lines:
        for number, one in enumerate(lessons[len(whole) :], start=len(whole) + 1):
            lines.write(json.dumps(answer(vlm, one), ensure_ascii=False) + "\n")
            lines.flush()
            report(number)


def answer(vlm: Vlm, lesson: dict[str, Any]) -> dict[str, Any]:
    with Image.open(Path(lesson["picture"])) as opened:
        picture = np.asarray(opened.convert("L"))
    asked = Asked(question=REPORT_PROMPT, pictures=(picture,))
    return {
        "text": log_likelihood(vlm, asked, lesson["text"]),
        "over": log_likelihood(vlm, asked, lesson["over"]) if lesson["over"] else None,
        "report": vlm.write([asked], longest=LONGEST_REPORT)[0],
    }


@torch.no_grad()
def log_likelihood(vlm: Vlm, asked: Asked, text: str) -> float:
    """Returns the sum over a text's tokens, its end included, after picture and question."""
    words = vlm.processor.tokenizer
    said = words.encode(text + words.eos_token, add_special_tokens=False, return_tensors="pt")
    said = said.to(vlm.model.device)
    inputs = vlm.inputs(asked, asked.question)
    start = inputs["input_ids"].shape[1]
    inputs["input_ids"] = torch.cat([inputs["input_ids"], said], dim=1)
    inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    for name in TYPES:
        if name in inputs:
            inputs[name] = torch.cat([inputs[name], torch.zeros_like(said)], dim=1)
    logits = vlm.model(**inputs).logits[0, start - 1 : -1].float()
    chances = logits.log_softmax(dim=1)
    return float(chances.gather(1, said[0][:, None]).sum())

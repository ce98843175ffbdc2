"""A VLM at hand: asked by multiple choice, made to write, and to say what it sees.

``load_vlm`` gives one of a folder. Models of other families are asked one question at a time
through transformers' own ``generate``; those that are trained here look at each picture once
and answer in batches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, LogitsProcessorList

from generation.training.devices import device
from generation.vlm.benchmark.choices import Choice, choose, normalised, rotations
from generation.vlm.model.answering import log_likelihoods, pad
from generation.vlm.model.folders import is_trained_here, place_of, require_loadable
from generation.vlm.model.processors import load_processor
from generation.vlm.model.rows import CAPTION_QUESTIONS
from generation.vlm.model.seen import look_at
from generation.vlm.model.wording import Words, with_options

AT_ONCE = 96
"""Sequences of one forward pass."""
LONGEST_ANSWER = 64
IMAGE = "<image>"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question, of pictures of 8 bits (any size) or of none, and its options where it has any."""

    question: str
    options: tuple[str, ...] = ()
    pictures: tuple[np.ndarray[Any, Any], ...] = ()


Scores = list[list[float]]
"""A row a rotation of a question's options, with a score for each option in that order."""


class Vlm:
    """A model of any supported family, with its processor."""

    def __init__(self, model: Any, processor: Any) -> None:
        self.model = model.eval()
        self.processor = processor

    def scores(self, asked: Sequence[Asked]) -> list[Scores]:
        """Returns the mean log likelihood of each option's tokens, with options in every cyclic
        order.
        """
        return [
            [
                [self._likelihood(one, order, option) for option in order]
                for order in _orders(one)
            ]
            for one in asked
        ]  # fmt: skip

    def choose(self, asked: Sequence[Asked]) -> list[Choice]:
        """Scores over all orders, the best option, whether it is stable, and probabilities."""
        return [choose(rows) for rows in self.scores(asked)]

    @torch.no_grad()
    def write(self, asked: Sequence[Asked], *, longest: int = LONGEST_ANSWER) -> list[str]:
        """Returns what it answers in its own words, always its likeliest ones."""
        texts = []
        for one in asked:
            inputs = self.inputs(one, with_options(one.question, one.options))
            tokens = self.model.generate(**inputs, max_new_tokens=longest, do_sample=False)
            texts.append(self._text(tokens[0, inputs["input_ids"].shape[1] :]))
        return texts

    def describe(self, pictures: Sequence[np.ndarray[Any, Any]]) -> list[str]:
        """Returns a caption of each picture."""
        return self.write(
            [Asked(question=CAPTION_QUESTIONS[0], pictures=(one,)) for one in pictures]
        )

    @torch.no_grad()
    def embed(self, pictures: Sequence[np.ndarray[Any, Any]]) -> torch.Tensor:
        """Returns what the decoder is given of each picture, as the mean of its tokens: N x F."""
        found = []
        for picture in pictures:
            inputs = self.inputs(Asked(question="", pictures=(picture,)), "")
            inputs.pop("input_ids"), inputs.pop("attention_mask", None)
            chosen = {name: value for name, value in inputs.items() if "pixel" in name
                      or "image" in name}  # fmt: skip
            features = self.model.get_image_features(**chosen)
            found.append(_as_tokens(features).float().mean(dim=0).cpu())
        return torch.stack(found)

    def encode(self, pictures: Sequence[np.ndarray[Any, Any]]) -> torch.Tensor:
        """Returns what the encoder makes of each picture, N x F, as a linear probe is taught on
        it.
        """
        return self.embed(pictures)

    @torch.no_grad()
    def _likelihood(self, one: Asked, order: Sequence[str], option: str) -> float:
        """By making ``generate`` say the option, so that each family reads as it does itself."""
        inputs = self.inputs(one, with_options(one.question, order))
        wanted = self.processor.tokenizer.encode(option, add_special_tokens=False)
        if not wanted:
            return normalised([])
        start = inputs["input_ids"].shape[1]

        def force(tokens: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            forced = torch.full_like(scores, -torch.inf)
            forced[:, wanted[tokens.shape[1] - start]] = 0
            return forced

        said = self.model.generate(
            **inputs,
            max_new_tokens=len(wanted),
            do_sample=False,
            eos_token_id=None,
            logits_processor=LogitsProcessorList([force]),
            output_logits=True,
            return_dict_in_generate=True,
        )
        chances = [step[0].float().log_softmax(dim=0) for step in said.logits]
        return normalised([float(chance[token])
                           for chance, token in zip(chances, wanted, strict=True)])  # fmt: skip

    def inputs(self, one: Asked, question: str) -> dict[str, torch.Tensor]:
        """Returns what the model is given so that it answers a question."""
        pictures = [Image.fromarray(picture).convert("RGB") for picture in one.pictures]
        text = self.prompt(question, pictures=len(pictures))
        given = {"images": pictures} if pictures else {}
        inputs = self.processor(text=[text], return_tensors="pt", **given)
        return {name: value.to(self.model.device) for name, value in inputs.items()}

    def prompt(self, question: str, *, pictures: int) -> str:
        """By the model's chat template; without one, pictures come first."""
        if self.processor.chat_template:
            content = [*({"type": "image"} for _ in range(pictures)),
                       {"type": "text", "text": question}]  # fmt: skip
            told: str = self.processor.apply_chat_template(
                [{"role": "user", "content": content}], add_generation_prompt=True
            )
            return told
        return f"{getattr(self.processor, 'image_token', None) or IMAGE}" * pictures + question

    def _text(self, tokens: torch.Tensor) -> str:
        text: str = self.processor.tokenizer.decode(tokens, skip_special_tokens=True)
        return text.strip()


class OwnVlm(Vlm):
    """A model that was trained here: it looks once at each picture, and answers in batches."""

    def __init__(self, model: Any, processor: Any) -> None:
        super().__init__(model, processor)
        self.words = Words(processor.tokenizer)
        self.eye = model.model.vision_tower
        self.image_tokens = self.eye.config.tokens

    def scores(self, asked: Sequence[Asked]) -> list[Scores]:
        return self.scores_of_seen(asked, self.see(asked))

    @torch.no_grad()
    def see(self, asked: Sequence[Asked]) -> list[torch.Tensor]:
        """Returns what the backbone sees of each question's pictures; one picture is looked at
        once.
        """
        distinct = {id(picture): picture for one in asked for picture in one.pictures}
        seen = look_at(self.eye, list(distinct.values())) if distinct else torch.empty(0)
        cells = dict(zip(distinct, seen, strict=True))
        return [torch.stack([cells[id(picture)] for picture in one.pictures])
                if one.pictures else torch.empty(0) for one in asked]  # fmt: skip

    @torch.no_grad()
    def scores_of_seen(self, asked: Sequence[Asked], seen: Sequence[torch.Tensor]) -> list[Scores]:
        """As ``scores``, of pictures that were looked at before: each images x cells x channels."""
        parts, cells = [], []
        for one, looked_at in zip(asked, seen, strict=True):
            for order in _orders(one):
                question = self.words.question(
                    with_options(one.question, order),
                    image_tokens=self.image_tokens * len(looked_at),
                )
                for option in order:
                    parts.append((question, self.words.of(option)))
                    cells.append(looked_at)
        likelihoods = iter(self._likelihoods(parts, cells))
        return [[[next(likelihoods) for _ in order] for order in _orders(one)] for one in asked]

    @torch.no_grad()
    def describe_seen(self, cells: torch.Tensor) -> list[str]:
        """Returns a caption of each picture that was looked at before: N x cells x channels."""
        question = self.words.question(CAPTION_QUESTIONS[0], image_tokens=self.image_tokens)
        device = self.model.device
        captions = []
        for part in cells.split(AT_ONCE):
            tokens = torch.tensor([question] * len(part), device=device)
            said = self.model.generate(
                input_ids=tokens, attention_mask=torch.ones_like(tokens),
                pixel_values=part.float().to(device), max_new_tokens=LONGEST_ANSWER,
                do_sample=False,
            )  # fmt: skip
            captions += [self._text(one[len(question) :]) for one in said]
        return captions

    def _text(self, tokens: torch.Tensor) -> str:
        """Its byte pairs put a space before every number and word."""
        return " ".join(super()._text(tokens).split())

    def describe(self, pictures: Sequence[np.ndarray[Any, Any]]) -> list[str]:
        return self.describe_seen(look_at(self.eye, pictures))

    @torch.no_grad()
    def embed(self, pictures: Sequence[np.ndarray[Any, Any]]) -> torch.Tensor:
        """Returns what the adapter makes of each whole picture: N x width."""
        return self.eye.adapt(look_at(self.eye, pictures).to(self.model.device))[:, 0].cpu()

    @torch.no_grad()
    def encode(self, pictures: Sequence[np.ndarray[Any, Any]]) -> torch.Tensor:
        """Returns what the frozen backbone sees of each whole picture: N x channels."""
        return look_at(self.eye, pictures)[:, 0].float()

    def _likelihoods(
        self, parts: Sequence[tuple[list[int], list[int]]], cells: Sequence[torch.Tensor]
    ) -> list[float]:
        """Sequences of like length together, so that little is filled up."""
        order = sorted(range(len(parts)), key=lambda place: len(parts[place][0]))
        found = [0.0] * len(parts)
        for start in range(0, len(order), AT_ONCE):
            chosen = order[start : start + AT_ONCE]
            shown = [cells[place] for place in chosen if len(cells[place])]
            batch = pad(
                [parts[place] for place in chosen],
                self.words.pad,
                torch.cat(shown).float().to(self.model.device) if shown else None,
                device=self.model.device,
            )
            for place, value in zip(chosen, log_likelihoods(self.model, batch), strict=True):
                found[place] = float(value)
        return found


def load_vlm(name: str) -> Vlm:
    """Returns a VLM by its name (``bundled``, or a folder), on this process's device.

    Raises RemediableError where it is of no supported family; nothing beside the weights is run.
    """
    folder = place_of(name)
    config = require_loadable(folder)
    import generation.vlm.model.eye  # noqa: F401  # registers the class of our own eye

    model = AutoModelForImageTextToText.from_pretrained(
        folder, trust_remote_code=False, use_safetensors=True, local_files_only=True,
        dtype=torch.float32 if is_trained_here(config) else "auto",
    ).to(device())  # fmt: skip
    return (OwnVlm if is_trained_here(config) else Vlm)(model, load_processor(folder, config))


def _orders(one: Asked) -> list[list[str]]:
    return [[one.options[place] for place in order] for order in rotations(len(one.options))]


def _as_tokens(features: Any) -> torch.Tensor:
    """Tokens x F of what families call the features of one picture."""
    value = getattr(features, "pooler_output", features)
    while isinstance(value, list | tuple):
        value = value[0]
    return value.reshape(-1, value.shape[-1])

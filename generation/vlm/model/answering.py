"""Stages 2 and 3: answering questions of pictures, by the bridge alone or by the decoder too."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from transformers import LlavaForConditionalGeneration

from generation.training import processes
from generation.training.devices import has_matrix_units
from generation.training.loop import Figures, Trainee
from generation.vlm.model.rows import Row
from generation.vlm.model.seen import Seen
from generation.vlm.model.wording import LONGEST, Words, with_options

LISTED_SHARE = 0.6
"""How often the options of a question are listed in it."""
MOST_LISTED = 6
IGNORED = -100


@dataclass(frozen=True, kw_only=True)
class Sequences:
    """Questions with answers, N x L: tokens, what is to be learnt of them, what is there."""

    tokens: torch.Tensor
    labels: torch.Tensor
    there: torch.Tensor
    cells: torch.Tensor | None


class AnswerLearner(Trainee):
    """Learns answers; rows are drawn by the square root of how many a task and source has."""

    def __init__(
        self,
        model: LlavaForConditionalGeneration,
        words: Words,
        rows: Sequence[Row],
        seen: Seen,
        *,
        batch_size: int,
        learning: Sequence[nn.Module],
    ) -> None:
        super().__init__(**{f"part_{place}": part for place, part in enumerate(learning)})
        self.model, self.words, self.seen = model, words, seen
        self.batch_size, self.share = batch_size, processes.share_of(batch_size)
        self.rows = rows
        self.tokens_of_picture = model.config.vision_config.tokens
        self.shares = _shares(rows)
        self.device = model.device

    def loss(self, step: int, generator: torch.Generator) -> tuple[torch.Tensor, Figures]:
        chosen = torch.multinomial(
            self.shares, self.batch_size, replacement=True, generator=generator
        )
        draws = torch.rand(self.batch_size, generator=generator)
        orders = [torch.randperm(MOST_LISTED, generator=generator) for _ in chosen]
        mine = range(processes.rank(), self.batch_size, processes.count())[: self.share]
        rows = [self._asked(self.rows[int(chosen[place])], float(draws[place]), orders[place])
                for place in mine]  # fmt: skip
        batch = self.batch(rows)
        loss = answer_loss(self.model, batch)
        return loss, {"loss": loss}

    def _asked(self, row: Row, draw: float, order: torch.Tensor) -> tuple[Row, str]:
        """Returns a row, and its question with options in a drawn order, or without."""
        count = len(row.options)
        if not 1 < count <= MOST_LISTED or draw >= LISTED_SHARE:
            return row, row.stem
        places = [place for place in order.tolist() if place < count]
        return row, with_options(row.stem, [row.options[place] for place in places])

    def batch(self, asked: Sequence[tuple[Row, str]]) -> Sequences:
        parts = []
        for row, question in asked:
            image_tokens = self.tokens_of_picture * len(row.images)
            parts.append((self.words.question(question, image_tokens=image_tokens),
                          self.words.answer(row.answer)))  # fmt: skip
        names = [name for row, _ in asked for name in row.images]
        cells = self.seen.of(names).float().to(self.device) if names else None
        return pad(parts, self.words.pad, cells, device=self.device)


def pad(
    parts: Sequence[tuple[Sequence[int], Sequence[int]]],
    filler: int,
    cells: torch.Tensor | None,
    *,
    device: torch.device,
) -> Sequences:
    """Questions and answers as sequences of one length, filled at their ends."""
    whole = [[*question, *answer][:LONGEST] for question, answer in parts]
    longest = max(map(len, whole))
    tokens = torch.full((len(parts), longest), filler)
    labels = torch.full((len(parts), longest), IGNORED)
    there = torch.zeros((len(parts), longest), dtype=torch.long)
    for place, ((question, _), sequence) in enumerate(zip(parts, whole, strict=True)):
        tokens[place, : len(sequence)] = torch.tensor(sequence)
        there[place, : len(sequence)] = 1
        labels[place, len(question) : len(sequence)] = torch.tensor(sequence[len(question) :])
    return Sequences(
        tokens=tokens.to(device), labels=labels.to(device), there=there.to(device), cells=cells
    )


def answer_loss(model: LlavaForConditionalGeneration, batch: Sequences) -> torch.Tensor:
    """Returns the mean over answers of the mean cross-entropy of their tokens."""
    return -log_likelihoods(model, batch).mean()


def log_likelihoods(model: LlavaForConditionalGeneration, batch: Sequences) -> torch.Tensor:
    """Returns the mean log likelihood of each answer's tokens, N."""
    is_quicker = batch.tokens.device.type == "cpu" and has_matrix_units()
    with torch.autocast(batch.tokens.device.type, torch.bfloat16, enabled=is_quicker):
        hidden = model.model(
            input_ids=batch.tokens, attention_mask=batch.there, pixel_values=batch.cells
        ).last_hidden_state[:, :-1]
        targets = batch.labels[:, 1:]
        known = targets != IGNORED
        logits = model.lm_head(hidden[known])
    losses = torch.zeros(targets.shape, device=targets.device)
    losses[known] = F.cross_entropy(logits.float(), targets[known], reduction="none")
    return -losses.sum(dim=1) / known.sum(dim=1).clamp(min=1)


def _shares(rows: Sequence[Row]) -> torch.Tensor:
    """Returns how often each row is drawn."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        groups[row.source, row.task].append(place)
    shares = torch.zeros(len(rows))
    for places in groups.values():
        shares[places] = len(places) ** -0.5
    return shares

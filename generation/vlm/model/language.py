"""Stage 0: the decoder learns the language of reports, and the form that questions are asked in."""

from collections.abc import Sequence

import torch
from torch.nn import functional as F
from transformers import LlavaForConditionalGeneration

from generation.training import processes
from generation.training.devices import has_matrix_units
from generation.training.loop import Figures, Trainee
from generation.vlm.model.rows import Row
from generation.vlm.model.wording import Words, with_options

WINDOW = 160
"""Tokens of one sequence; documents follow each other in it."""
WINDOWS = 16


def told_apart(rows: Sequence[Row]) -> list[Row]:
    """Rows that differ in more than their pictures."""
    return list({(row.stem, row.answer): row for row in reversed(rows)}.values())[::-1]


def as_tokens(rows: Sequence[Row], words: Words) -> list[list[int]]:
    """Question and answer of each row as a document, without its pictures."""
    return [
        [*words.question(with_options(row.stem, row.options), image_tokens=0),
         *words.answer(row.answer)]
        for row in rows
    ]  # fmt: skip


class LanguageLearner(Trainee):
    """Learns to go on with documents, in windows of a stream that is shuffled for each pass."""

    def __init__(
        self, model: LlavaForConditionalGeneration, documents: Sequence[Sequence[int]]
    ) -> None:
        super().__init__(decoder=model.model.language_model)
        self.model = model
        self.documents = documents
        self.windows = max(1, sum(map(len, documents)) // WINDOW)
        self.share = processes.share_of(WINDOWS)

    def loss(self, step: int, generator: torch.Generator) -> tuple[torch.Tensor, Figures]:
        chosen = torch.randint(self.windows * WINDOW, (WINDOWS,), generator=generator)
        chosen = chosen[processes.rank() :: processes.count()][: self.share]
        order = torch.randperm(len(self.documents), generator=generator)
        tokens = torch.tensor([self._window(int(start), order) for start in chosen])
        loss = language_loss(self.model, tokens.to(self.model.device)).mean()
        return loss, {"loss": loss}

    def _window(self, start: int, order: torch.Tensor) -> list[int]:
        """So many tokens from a document on, then of others in a drawn order."""
        first = start % len(self.documents)
        window = list(self.documents[first])
        place = start % len(order)
        while len(window) < WINDOW:
            window += self.documents[int(order[place % len(order)])]
            place += 1
        return window[:WINDOW]


def language_loss(model: LlavaForConditionalGeneration, tokens: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of each token but the first, N x L - 1, of sequences without pictures."""
    is_quicker = tokens.device.type == "cpu" and has_matrix_units()
    with torch.autocast(tokens.device.type, torch.bfloat16, enabled=is_quicker):
        hidden = model.model.language_model(input_ids=tokens).last_hidden_state
        logits = model.lm_head(hidden[:, :-1])
    return F.cross_entropy(logits.float().transpose(1, 2), tokens[:, 1:], reduction="none")


@torch.no_grad()
def losses_of(
    model: LlavaForConditionalGeneration, documents: Sequence[Sequence[int]]
) -> list[float]:
    """Returns the loss of every token but the first of each document, in their order."""
    found: list[float] = []
    for document in documents:
        tokens = torch.tensor([list(document)], device=model.device)
        found += language_loss(model.eval(), tokens)[0].tolist()
    return found

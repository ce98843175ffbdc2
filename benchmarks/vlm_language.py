"""A VLM's decoder on the reports of Open-I's test part, beside a trigram of the same tokens.

    python -m benchmarks.vlm_language INSTRUCTIONS VLM

``VLM`` is a model whose language stage was taught on the training part of these instructions.
A document is a question and its answer, as ``findings summarisation`` asks it. The trigram is
interpolated by Witten and Bell's rule over the same training documents, down to evenly shared
chances. Both are asked for the same tokens, all but the first of each document. Documents whose
impression training does not have word for word are counted apart, since Open-I repeats itself.
"""

import argparse
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import torch

from generation.specs import Split
from generation.vlm.model.language import as_tokens, losses_of, told_apart
from generation.vlm.model.rows import Row, read_rows
from generation.vlm.model.training import SUMMARISE
from generation.vlm.model.vlms import OwnVlm, load_vlm

ORDER = 3


class Trigram:
    """Chances of a token after two others, from counts of documents."""

    def __init__(self, documents: Sequence[Sequence[int]], *, words: int) -> None:
        self.words = words
        self.counts: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        for document in documents:
            for place, token in enumerate(document):
                for length in range(min(place, ORDER - 1) + 1):
                    self.counts[tuple(document[place - length : place])][token] += 1
        self.totals = {context: sum(after.values()) for context, after in self.counts.items()}

    def chance(self, token: int, context: tuple[int, ...]) -> float:
        """As often as after this context, and as the shorter one has it for what is new there."""
        shorter = self.chance(token, context[1:]) if context else 1 / self.words
        after = self.counts.get(context)
        if after is None:
            return shorter
        kinds = len(after)
        return (after[token] + kinds * shorter) / (self.totals[context] + kinds)

    def losses(self, document: Sequence[int]) -> list[float]:
        """Returns one for every token but the first."""
        return [
            -math.log(self.chance(token, tuple(document[max(0, place - ORDER + 1) : place])))
            for place, token in enumerate(document)
            if place
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instructions", type=Path)
    parser.add_argument("vlm")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    vlm = load_vlm(arguments.vlm)
    assert isinstance(vlm, OwnVlm)
    taught, asked = (reports(arguments.instructions, split) for split in ("train", "test"))
    answers = {row.answer for row in taught}
    trigram = Trigram(as_tokens(taught, vlm.words), words=len(vlm.words))
    documents = as_tokens(asked, vlm.words)
    parts = {
        "all": range(len(asked)),
        "impression not in training": [place for place, row in enumerate(asked)
                                       if row.answer not in answers],
    }  # fmt: skip
    by_model = [losses_of(vlm.model, [document]) for document in documents]
    by_trigram = [trigram.losses(document) for document in documents]
    print(f"the trigram learnt from {len(taught):,} documents")
    for name, places in parts.items():
        told, counted = ([loss for place in places for loss in losses[place]]
                         for losses in (by_model, by_trigram))  # fmt: skip
        print(f"{name}: {len(places)} documents, {len(told):,} tokens, perplexity "
              f"{perplexity(told):.2f}, trigram {perplexity(counted):.2f}")  # fmt: skip


def reports(instructions: Path, split: Split) -> list[Row]:
    rows = read_rows(instructions, split)
    return told_apart([row for row in rows if (row.source, row.task) == ("openi", SUMMARISE)])


def perplexity(losses: Sequence[float]) -> float:
    return math.exp(sum(losses) / len(losses))


if __name__ == "__main__":
    main()

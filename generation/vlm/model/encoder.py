"""Stage 1: the eye's adapter learns by contrast which phrases are true of a picture.

A picture's token and a phrase's vector agree where the phrase is true of it (the sigmoid loss
of SigLIP, 2303.15343, over phrases whose truth is known). The vector of a phrase is a linear
map of the decoder's own embeddings, so that what the eye says stands in the decoder's words.
Strong decay, as a linear probe has it, is what a few hundred pictures can bear.
"""

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional as F
from transformers import LlavaForConditionalGeneration

from generation.training.loop import Figures, Trainee
from generation.vlm.model.eye import Eye
from generation.vlm.model.seen import Seen
from generation.vlm.model.wording import Words

AT_ONCE = 1_024
FEWEST = 10
"""Pictures of which a phrase is true, and of which it is not, below which it is not taught."""

Statements = Mapping[str, Mapping[str, bool]]


class PhraseProjection(nn.Module):
    """From the mean embedding of a phrase's tokens to a direction and a bias."""

    def __init__(self, phrases: torch.Tensor, width: int) -> None:
        super().__init__()
        self.register_buffer("phrases", F.normalize(phrases, dim=1), persistent=False)
        self.linear = nn.Linear(phrases.shape[1], width)
        nn.init.normal_(self.linear.weight, std=width**-0.5)
        nn.init.zeros_(self.linear.bias)
        self.biases = nn.Parameter(torch.zeros(len(phrases)))

    def forward(self) -> torch.Tensor:
        """P x width."""
        directions: torch.Tensor = self.linear(self.phrases)
        return directions


class EncoderLearner(Trainee):
    """Teaches the adapter; the backbone and the decoder stay as they are."""

    def __init__(
        self,
        model: LlavaForConditionalGeneration,
        words: Words,
        seen: Seen,
        statements: Statements,
        *,
        ridge: float,
    ) -> None:
        self.eye: Eye = model.model.vision_tower
        phrases, self.truth = _truth_of(statements)
        embeddings = model.get_input_embeddings()
        with torch.no_grad():
            vectors = torch.stack([embeddings(torch.tensor(words.of(one), device=model.device))
                                   .mean(0).float() for one in phrases])  # fmt: skip
        self.texts = PhraseProjection(vectors, self.eye.config.hidden_size).to(model.device)
        self.phrases = phrases
        cells = seen.of(list(statements))[:, 0].float().to(model.device)
        self.inputs: torch.Tensor = (cells - self.eye.mean) / self.eye.deviation
        self.truth = self.truth.to(model.device)
        known = (~self.truth.isnan()).sum(dim=0).clamp(min=1)
        self.decay = 1 / (ridge * known)
        nn.init.zeros_(self.eye.adapter.weight)
        nn.init.zeros_(self.eye.adapter.bias)
        self.eye.adapter.requires_grad_(True)
        super().__init__(adapter=self.eye.adapter, texts=self.texts)

    def loss(self, step: int, generator: torch.Generator) -> tuple[torch.Tensor, Figures]:
        """Mean cross-entropy of each phrase, and the decay of a linear probe of it."""
        count = len(self.inputs)
        chosen = torch.randperm(count, generator=generator)[:AT_ONCE].sort().values
        inputs, truth = self.inputs[chosen], self.truth[chosen]
        directions = self.texts()
        logits = self.eye.adapter(inputs) @ directions.T + self.texts.biases
        known = ~truth.isnan()
        errors = F.binary_cross_entropy_with_logits(logits, truth.nan_to_num(), reduction="none")
        contrast = (errors * known).sum(dim=0) / known.sum(dim=0).clamp(min=1)
        probes = directions @ self.eye.adapter.weight
        loss = (contrast + self.decay / 2 * probes.square().sum(dim=1)).sum()
        return loss, {"loss": loss / len(self.phrases), "contrast": contrast.mean()}


@torch.no_grad()
def standardise(eye: Eye, cells: torch.Tensor) -> None:
    """Measure what the backbone sees of whole pictures, N x cells x channels."""
    whole = cells[:, 0].float().to(eye.mean.device)
    eye.mean.copy_(whole.mean(dim=0))
    eye.deviation.copy_(whole.std(dim=0).clamp(min=1e-3))


@torch.no_grad()
def settle(eye: Eye, cells: torch.Tensor) -> None:
    """Give the tokens that the adapter makes unit size, as the bridge expects them."""
    tokens = eye.adapt(cells[:, :1].to(eye.mean.device))[:, 0]
    size = (tokens - tokens.mean(dim=0)).square().mean().sqrt().clamp(min=1e-6)
    eye.adapter.bias.sub_(tokens.mean(dim=0)).div_(size)
    eye.adapter.weight.div_(size)
    eye.adapter.requires_grad_(False)


def _truth_of(statements: Statements) -> tuple[list[str], torch.Tensor]:
    """Phrases that can be taught, and pictures x phrases of 1, 0 and nan where not known."""
    named = sorted({phrase for known in statements.values() for phrase in known})
    table = torch.tensor([[float(known[phrase]) if phrase in known else float("nan")
                           for phrase in named] for known in statements.values()])  # fmt: skip
    enough = torch.minimum((table == 1).sum(dim=0), (table == 0).sum(dim=0)) >= FEWEST
    if not enough.any():
        enough[:] = True
    phrases = [phrase for phrase, is_enough in zip(named, enough.tolist(), strict=True)
               if is_enough]  # fmt: skip
    return phrases, table[:, enough]

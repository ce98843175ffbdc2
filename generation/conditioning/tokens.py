"""What a model's tokenizer makes of a prompt, without the model."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tokenizers import Tokenizer

FILE, CONFIG = "tokenizer.json", "tokenizer_config.json"
LARGEST_LIMIT = 10_000
"""A ``model_max_length`` beyond it means that nobody has set one."""


@dataclass(frozen=True)
class TooLong:
    """A prompt that has more tokens than the model takes, and where the model would stop."""

    excess: int
    kept: str
    cut: str


@dataclass(frozen=True)
class PromptLimit:
    """It holds the tokenizer of a model's folder; ``tokens`` is what a prompt may have."""

    tokenizer: Tokenizer
    tokens: int

    def measure(self, prompt: str) -> TooLong | None:
        """Say by how much a prompt is too long; None for one that fits."""
        encoding = self.tokenizer.encode(prompt, add_special_tokens=False)
        excess = len(encoding.ids) - self.tokens
        if excess <= 0:
            return None
        start = encoding.offsets[self.tokens][0]
        return TooLong(excess=excess, kept=prompt[:start].rstrip(), cut=prompt[start:].strip())


def prompt_limit(folder: Path) -> PromptLimit | None:
    """Returns the limit by a model's tokenizer folder; None where its files do not say."""
    file, config = folder / FILE, folder / CONFIG
    if not (file.is_file() and config.is_file()):
        return None
    return _read(file, config, file.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read(file: Path, config: Path, changed: int) -> PromptLimit | None:
    most = json.loads(config.read_text()).get("model_max_length")
    if not isinstance(most, int) or most > LARGEST_LIMIT:
        return None
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    special = tokenizer.num_special_tokens_to_add(is_pair=False)
    return PromptLimit(tokenizer=tokenizer, tokens=most - special)

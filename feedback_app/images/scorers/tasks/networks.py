"""The trained networks that this worker keeps in memory."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from django.dispatch import receiver
from safetensors import SafetensorError

from feedback_app.images.scorers.models import Scorer, ScorerKind
from feedback_app.runs.children import child_starting
from generation.errors import RemediableError

UNREADABLE = (
    RemediableError,
    OSError,
    ValueError,
    KeyError,
    TypeError,
    RuntimeError,
    SafetensorError,
)
"""What loading raises where files are missing, cut off, or of something else."""


class UnreadableScorer(RemediableError):
    """Its files are not there, or are not what they were."""


def load_scorer(scorer: Scorer) -> Any:
    """Returns the scorer's network; raises UnreadableScorer where that cannot be read."""
    try:
        return _load(scorer.kind, str(scorer.folder), scorer.sha256)
    except UNREADABLE as error:
        raise UnreadableScorer(
            f"The scorer “{scorer.name}” cannot be read from {scorer.folder}: {error}",
            remedy="Put its folder back; what it has not measured is measured then.",
        ) from error


@lru_cache(maxsize=4)
def _load(kind: str, location: str, sha256: str) -> Any:
    """MONAI takes seconds to import, so only who measures by it does."""
    from generation.downstream.classifier import Classifier
    from generation.downstream.segmenter import Segmenter
    from generation.rewards.reward_model import RewardModel
    from generation.vlm.judge import Judge

    loaders: dict[str, Any] = {
        ScorerKind.CLASSIFIER: Classifier,
        ScorerKind.SEGMENTER: Segmenter,
        ScorerKind.REWARD_MODEL: RewardModel,
    }
    return loaders.get(kind, Judge).load(Path(location))


@receiver(child_starting)
def release_scorers(**_: Any) -> None:
    """Make room for a training process."""
    _load.cache_clear()

"""The trained networks that this worker keeps in memory."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from feedback_app.images.scorers.models import Scorer, ScorerKind
from feedback_app.runs.children import child_starting


def load_scorer(scorer: Scorer) -> Any:
    return _load(scorer.kind, scorer.location, scorer.sha256)


@lru_cache(maxsize=4)
def _load(kind: str, location: str, sha256: str) -> Any:
    """MONAI takes seconds to import, so only who measures by it does."""
    from generation.downstream.classifier import Classifier
    from generation.downstream.segmenter import Segmenter
    from generation.rewards.reward_model import RewardModel

    loaders: dict[str, Any] = {
        ScorerKind.CLASSIFIER: Classifier,
        ScorerKind.SEGMENTER: Segmenter,
        ScorerKind.REWARD_MODEL: RewardModel,
    }
    return loaders[kind].load(Path(location))


@child_starting.connect
def release_scorers(**_: Any) -> None:
    """Make room for a training process."""
    _load.cache_clear()

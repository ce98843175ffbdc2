"""What rests on readings, link by link."""

from dataclasses import dataclass

from django.utils import timezone

from feedback_app.curation.models import CuratedSet
from feedback_app.exports.models import Export
from feedback_app.finetuning.models import FineTune, RewardModel, Snapshot
from feedback_app.images.models import Scorer, ScorerKind
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run, State
from feedback_app.studies.models import Study
from tests.curation.stage import Stage


@dataclass(frozen=True)
class Chain:
    """``pairs`` and ``stage`` are studies of both readers; ``grandchild`` was taught on child."""

    pairs: Study
    stage: Stage
    snapshot: Snapshot
    child: FineTune
    grandchild: FineTune
    curated_set: CuratedSet
    export: Export


def taught_reward_model(snapshot: Snapshot, *, name: str) -> Scorer:
    """A reward model as a finished training registers it."""
    run = runs.start(
        "train_reward_model",
        title=name,
        spec={"snapshot": str(snapshot.pk), "name": name},
    )
    Run.objects.filter(pk=run.pk).update(state=State.SUCCEEDED, finished_at=timezone.now())
    scorer = Scorer.objects.create(
        name=name, kind=ScorerKind.REWARD_MODEL, location=f"/{name}", sha256="4" * 64
    )
    RewardModel.objects.create(name=name, run=run, snapshot=snapshot, trunk="a:b", scorer=scorer)
    return scorer

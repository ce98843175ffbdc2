"""Snapshots, reward models and verdicts that rest on the readings of some readers or studies."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from feedback_app.finetuning.models import GateVerdict, Pair, RatedImage, Snapshot
from feedback_app.images.models import Scorer
from feedback_app.readings.models import Reading, Retraction


def snapshots_resting_on(
    *, readers: Collection[int] = (), studies: Collection[UUID] = ()
) -> QuerySet[Snapshot]:
    """Those that hold a pair or a rating from a reading of one of these readers or studies."""
    drawn = Q(reading__reader__in=readers) | Q(reading__slot__study__in=studies)
    return Snapshot.objects.filter(
        Exists(Pair.objects.filter(drawn, snapshot=OuterRef("pk")))
        | Exists(RatedImage.objects.filter(drawn, snapshot=OuterRef("pk")))
    )


def reward_models_resting_on(
    *, readers: Collection[int] = (), studies: Collection[UUID] = ()
) -> QuerySet[Scorer]:
    """Those that a snapshot with a reading of one of these taught."""
    snapshots = snapshots_resting_on(readers=readers, studies=studies)
    return Scorer.objects.filter(reward_model__snapshot__in=snapshots)


def retracted_reward_models() -> QuerySet[Scorer]:
    active = Retraction.objects.active()
    return reward_models_resting_on(readers=list(active.readers()), studies=list(active.studies()))


def verdicts_resting_on(
    *, readers: Collection[int] = (), studies: Collection[UUID] = ()
) -> QuerySet[GateVerdict]:
    """Those whose judge is such a reward model, or a comparison in which one of these read."""
    rewards = reward_models_resting_on(readers=readers, studies=studies)
    read = Reading.objects.filter(slot__study=OuterRef("judge__study"), reader__in=readers)
    return GateVerdict.objects.filter(
        Q(judge__scorer__in=rewards.values("pk")) | Q(judge__study__in=studies) | Exists(read)
    )


def is_retracted(verdict: GateVerdict) -> bool:
    """Whether its judge rests on readings that are retracted now."""
    active = Retraction.objects.active()
    readers, studies = list(active.readers()), list(active.studies())
    return verdicts_resting_on(readers=readers, studies=studies).filter(pk=verdict.pk).exists()

"""Snapshots, reward models and verdicts that rest on the readings of some readers or studies."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from feedback_app.finetuning.models import GateVerdict, Pair, RatedImage, Remark, Snapshot
from feedback_app.images.models import Scorer
from feedback_app.readings.models import Reading
from feedback_app.readings.retraction_models import Retraction, Sources


def snapshots_resting_on(sources: Sources) -> QuerySet[Snapshot]:
    """Returns those that hold a pair, rating or remark from a reading of one of these readers or
    studies.

    A final reading of an adjudication is one of the study that it adjudicates.
    """
    drawn = sources.among(reader="reading__reader", study="reading__slot__study")
    drawn |= sources.among(
        reader="reading__reader", study="reading__slot__study__adjudicates__study"
    )
    return Snapshot.objects.filter(
        Exists(Pair.objects.filter(drawn, snapshot=OuterRef("pk")))
        | Exists(RatedImage.objects.filter(drawn, snapshot=OuterRef("pk")))
        | Exists(Remark.objects.filter(drawn, snapshot=OuterRef("pk")))
    )


def reward_models_resting_on(sources: Sources) -> QuerySet[Scorer]:
    """Returns those that a snapshot with a reading of one of these taught."""
    return Scorer.objects.filter(reward_model__snapshot__in=snapshots_resting_on(sources))


def retracted_reward_models() -> QuerySet[Scorer]:
    return reward_models_resting_on(Retraction.objects.active().sources())


def verdicts_resting_on(sources: Sources) -> QuerySet[GateVerdict]:
    """Returns those whose judge is such a reward model, or a comparison in which one of these
    read.
    """
    rewards = reward_models_resting_on(sources)
    of_judge = Reading.objects.filter(slot__study=OuterRef("judge__study"))
    read = of_judge.filter(sources.among(reader="reader", study="slot__study"))
    return GateVerdict.objects.filter(
        Q(judge__scorer__in=rewards.values("pk"))
        | Q(judge__study__in=sources.studies)
        | Exists(read)
    )


def is_retracted(verdict: GateVerdict) -> bool:
    """Returns whether its judge rests on readings that are retracted now."""
    sources = Retraction.objects.active().sources()
    return verdicts_resting_on(sources).filter(pk=verdict.pk).exists()

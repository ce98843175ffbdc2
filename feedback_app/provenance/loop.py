"""Where the loop stands: what there is of each kind, and what is sensible next."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.curation.models import CuratedSet
from feedback_app.experiments.models import Experiment, ExperimentState
from feedback_app.exports.models import Export
from feedback_app.finetuning.models import FineTune, GateDecision, GateVerdict, Snapshot
from feedback_app.finetuning.services.yields import SoFar, new_pairs_so_far
from feedback_app.images.models import Candidate, Cohort, CohortImage, ModelVersion
from feedback_app.readings.models import Reading
from feedback_app.studies.models import Study, StudyState


@dataclass(frozen=True)
class Stage:
    """A stage is one part of the loop: a count, a few words on it, and its page."""

    name: str
    count: int
    note: str
    url: str


@dataclass(frozen=True)
class NextStep:
    text: str
    action: str
    url: str


def stages(viewer: User, *, new_pairs: SoFar) -> list[Stage]:
    """In the order of the loop; only admins have a page of exports."""
    readings = Reading.objects.current()
    simulated = readings.by_simulated_readers().count()
    unread = Study.objects.filter(state=StudyState.OPEN).unread_slots()
    promoted = ModelVersion.objects.filter(is_promoted=True).first()
    found = [
        Stage(
            "Cohorts",
            Cohort.objects.count(),
            _counted(CohortImage.objects.count(), "real image"),
            reverse("images:cohorts"),
        ),
        Stage(
            "Model versions",
            ModelVersion.objects.count(),
            f"{promoted.name} is promoted" if promoted else "none is promoted",
            reverse("models"),
        ),
        Stage("Candidates", Candidate.objects.count(), "", reverse("images:gallery")),
        Stage(
            "Readings",
            readings.by_people().count() if new_pairs.readings is None else new_pairs.readings,
            f"{unread} to be read" + (f", {simulated} simulated" if simulated else ""),
            reverse("studies:list"),
        ),
        Stage(
            "Snapshots",
            Snapshot.objects.count(),
            f"{_counted(new_pairs.total, 'pair')} new{' so far' if new_pairs.run else ''}",
            reverse("finetuning:overview"),
        ),
        Stage("Curated sets", CuratedSet.objects.count(), "", reverse("curation:list")),
    ]
    finished = Experiment.objects.filter(state=ExperimentState.FINISHED).count()
    found.append(
        Stage(
            "Experiments",
            Experiment.objects.count(),
            f"{finished} finished",
            reverse("experiments:list"),
        )
    )
    if viewer.is_admin:
        found.append(Stage("Exports", Export.objects.count(), "", reverse("exports:list")))
    return found


def next_step(viewer: User, *, new_pairs: SoFar) -> NextStep | None:
    """Returns the first thing that the loop waits for; None where it has gone round."""
    return next(_open_steps(viewer, new_pairs.total), None)


def _open_steps(viewer: User, new_pairs: int) -> Iterator[NextStep]:
    """In the order of the loop."""
    if not ModelVersion.objects.exists():
        yield NextStep("There is no model yet.", "Register one", reverse("models"))
    if not Candidate.objects.exists():
        yield NextStep(
            "The model has made no image yet.", "Generate candidates", reverse("images:console")
        )
    if not Study.objects.exists():
        yield NextStep(
            "There are candidates that nobody is asked about.",
            "Design a study",
            reverse("studies:create"),
        )
    if not Reading.objects.by_people().exists():
        yield NextStep(
            "The first readings are awaited.", "See the studies", reverse("studies:list")
        )
    if not Snapshot.objects.filter(is_simulated=False).exists() and new_pairs:
        yield NextStep(
            f"Readings gave {_counted(new_pairs, 'pair')} to learn from.",
            "Take a snapshot",
            reverse("finetuning:snapshot_new"),
        )
    if Snapshot.objects.exists() and not FineTune.objects.exists():
        yield NextStep(
            "A snapshot waits for a model to learn from it.",
            "Fine-tune",
            reverse("finetuning:finetune_new"),
        )
    passed = GateVerdict.objects.filter(
        decision=GateDecision.PROMOTE, gate__child__promotions=None
    ).select_related("gate__child")
    for verdict in passed.order_by("-created_at"):
        yield NextStep(
            f"{verdict.gate.child.name} passed its gate and is not promoted yet.",
            "Look at it",
            reverse("finetuning:gate", args=[verdict.gate_id]),
        )
    made = Candidate.objects.filter(recipe__model_version=OuterRef("pk"))
    for untried in ModelVersion.objects.exclude(parent=None).exclude(Exists(made)).reverse():
        yield NextStep(
            f"{untried.name} was taught and has made no image yet.",
            "Generate with it",
            reverse("images:console"),
        )
    if not CuratedSet.objects.exists():
        yield NextStep(
            "Readings can say which candidates are good enough.",
            "Make a policy",
            reverse("curation:list"),
        )
    if viewer.is_admin and not Export.objects.exists():
        yield NextStep("A curated set can be exported.", "Export it", reverse("exports:list"))


def new_pairs() -> SoFar:
    """Counts people's pairs that their last snapshot has not."""
    last = Snapshot.objects.filter(is_simulated=False).first()
    return new_pairs_so_far(simulated=False, since=last)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"

"""Which reports the cases of a study show: a cohort's own, or those of a set."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from random import Random
from typing import Any
from uuid import UUID

from django.apps import apps

from feedback_app.images.cohorts.priors import priors_of
from feedback_app.images.models import Cohort, CohortImage, Image
from feedback_app.studies.planning import CasePlan, CasesAdded, PlannedCase, draw_real
from generation.datasets.reports import report_of

OWN_REPORT = "cohort"
"""The name of the source that every cohort is itself; no set of drafts may have it."""
OWN_LABEL = "The cohort’s own reports"
TEXT_MAX = 10_000
"""Characters of a report; what is longer is no report of one image."""
IMAGES_AT_ONCE = 5_000


def plan_of_cohort(
    cohort: Cohort,
    *,
    wanted: int,
    with_training: bool,
    sources: Collection[str],
    beside: Collection[UUID],
    with_prior: bool,
    seed: int,
) -> CasePlan:
    """Draws images of which every source has a report, test split first, then validation.

    ``beside`` are images that are in a case; some of them may be of a cohort already. Of those
    ``with_prior`` there is an earlier image of the same patient.
    """
    there = CohortImage.objects.filter(image__in=beside).count()
    drawn = draw_real(cohort, seed=seed, with_training=with_training)
    if with_prior:
        earlier = priors_of(drawn)
        drawn = [image for image in drawn if image in earlier]
    texts = [texts_of(source, drawn) for source in sources]
    usable = [
        image for image in drawn if image not in beside and all(image in found for found in texts)
    ]
    chosen = usable[: max(0, wanted - there)]
    count = len(chosen)
    return CasePlan(
        cases=tuple(PlannedCase(images=(image,)) for image in chosen),
        added=CasesAdded(
            cases=count, images=count, real=count, real_missing=max(0, wanted - there - count)
        ),
    )


def with_texts(plan: CasePlan, sources: Collection[str]) -> CasePlan:
    """Gives each case the texts of all sources; what one of them has no text for is left out."""
    images = [case.images[0] for case in plan.cases]
    found = {source: texts_of(source, images) for source in sources}
    cases = tuple(
        replace(case, texts=tuple((source, found[source][case.images[0]]) for source in sources))
        for case in plan.cases
        if all(case.images[0] in texts for texts in found.values())
    )
    lost = len(plan.cases) - len(cases)
    added = replace(
        plan.added,
        cases=plan.added.cases - lost,
        images=plan.added.images - lost,
        undrafted=lost,
    )
    return CasePlan(cases=cases, added=added)


def with_priors(plan: CasePlan) -> CasePlan:
    """Leaves out each case of which there is no earlier image; so a synthetic one is in none."""
    earlier = priors_of([case.images[0] for case in plan.cases])
    cases = tuple(case for case in plan.cases if case.images[0] in earlier)
    lost = len(plan.cases) - len(cases)
    added = replace(
        plan.added,
        cases=plan.added.cases - lost,
        images=plan.added.images - lost,
        without_prior=lost,
    )
    return CasePlan(cases=cases, added=added)


def draw_undrafted(plan: CasePlan, *, percent: int, seed: int) -> CasePlan:
    """Takes the draft from a share of the cases, by lot."""
    count = round(len(plan.cases) * percent / 100)
    bare = set(Random(f"{seed}:without a draft").sample(range(len(plan.cases)), count))
    cases = tuple(
        replace(case, texts=()) if number in bare else case
        for number, case in enumerate(plan.cases)
    )
    return replace(plan, cases=cases)


def texts_of(source: str, images: Collection[UUID]) -> Mapping[UUID, str]:
    """Returns by image what a source says of it, where it says something.

    It is an empty text where a VLM is still to write it: the case waits for that.
    """
    if source == OWN_REPORT:
        rows = CohortImage.objects.filter(image__in=images).values_list("image", "source_labels")
        found = {image: report_of(labels)[:TEXT_MAX] for image, labels in rows}
        return {image: text for image, text in found.items() if text}
    hashes = dict(Image.objects.filter(pk__in=images).values_list("pk", "blob"))
    # By its name, since modes come before the models of their studies.
    drafts: Any = apps.get_model("studies", "ReportDraft")
    texts = dict(
        drafts.objects.filter(of_set__name=source, sha256__in=set(hashes.values())).values_list(
            "sha256", "text"
        )
    )
    return {image: texts[sha256] for image, sha256 in hashes.items() if sha256 in texts}

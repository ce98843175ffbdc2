"""How an experiment's classifiers, and the scorers of candidates, fare by group of patients.

What is asked for is a run, whose result is the report: comparing groups with intervals and tests
takes seconds a finding.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from feedback_app.accounts.models import User
from feedback_app.experiments.labels import arm_at
from feedback_app.experiments.models import Experiment
from feedback_app.images.cohorts.models import CohortImage, Split
from feedback_app.images.scorers.models import Scorer, ScorerKind
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from generation.errors import RemediableError
from generation.statistics.fairness import LEAST, Judged, age_group, report, with_pairs
from generation.vlm.benchmark.plain import plain

OF_EXPERIMENT, OF_SCORER = "experiment_fairness", "scorer_fairness"
REAL = "real"
MOST_FINDINGS = 4
"""Findings that are compared, the most frequent first."""
MOST_IMAGES = 1_000
"""Test images that a scorer is asked of, some of many."""
SEXES = {"F": "female", "M": "male"}
WITH_FINDINGS = (ScorerKind.CLASSIFIER, ScorerKind.VISIBLE_FINDING)
"""Scorers that say of findings how likely they are."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What was said of one image: by finding whether it is there, how likely, and whether it is
    said to be; ``traits`` by attribute, empty where they are not known.
    """

    patient: str
    truth: Mapping[str, bool]
    probability: Mapping[str, float]
    traits: Mapping[str, str]


def ask_for_experiment(experiment: Experiment, *, created_by: User | None = None) -> Run:
    """Compare groups by the classifiers of an experiment's primary comparison."""
    if experiment.task != "classification":
        raise RemediableError(
            "Only classifiers are compared by group.", remedy="Choose an experiment of one."
        )
    return runs.start(
        OF_EXPERIMENT,
        title=f"Compare groups in {experiment.name}",
        spec={"experiment": str(experiment.pk)},
        created_by=created_by,
    )


def ask_for_scorer(scorer: Scorer, *, created_by: User | None = None) -> Run:
    """Compare groups by what a scorer says of real test images."""
    if ScorerKind(scorer.kind) not in WITH_FINDINGS:
        raise RemediableError(
            f"{scorer.name} says nothing of findings.", remedy="Choose a classifier or a judge."
        )
    return runs.start(
        OF_SCORER,
        title=f"Compare groups by {scorer.name}",
        spec={"scorer": scorer.pk},
        created_by=created_by,
    )


def newest(kind: str, **spec: Any) -> Run | None:
    return Run.objects.filter(kind=kind, **{f"spec__{name}": value
                                            for name, value in spec.items()}).first()  # fmt: skip


def report_on_experiment(experiment: Experiment) -> list[dict[str, Any]]:
    """Returns the arm of the primary comparison and the real images alone, mean of all seeds
    each.
    """
    reports = []
    for arm, ratio in ((REAL, 0.0), (experiment.primary_arm, experiment.primary_ratio)):
        cells = experiment.cells.done().filter(arm=arm, real_size=experiment.primary_size)
        if arm != REAL:
            cells = cells.filter(ratio=ratio)
        results = [cell.result for cell in cells.select_related("result__predictions")]
        tables = [json.loads(result.predictions.read()) for result in results if result]
        if tables:
            title = f"{arm_at(arm, ratio)}, {experiment.primary_size} real images"
            reports += reports_of(title, list(_means(tables)))
    return reports


def _means(tables: Sequence[Sequence[Mapping[str, Any]]]) -> Iterator[Said]:
    """Yields each image once, with its mean probabilities over the tables of all seeds."""
    by_image: dict[str, list[Mapping[str, Any]]] = {}
    for table in tables:
        for row in table:
            by_image.setdefault(str(row["image_id"]), []).append(row)
    for rows in by_image.values():
        first = rows[0]
        yield Said(
            patient=str(first["patient"]),
            truth={name: bool(value) for name, value in first["truth"].items()},
            probability={name: float(np.mean([row["probability"][name] for row in rows]))
                         for name in first["truth"]},
            traits=traits_of(sex=first.get("sex", ""), age_years=first.get("age_years"),
                             view=first.get("view", ""), race=first.get("race", "")),
        )  # fmt: skip


def traits_of(*, sex: str, age_years: int | None, view: str, race: str) -> dict[str, str]:
    return {"sex": SEXES.get(sex, ""), "age": age_group(age_years), "view": view, "race": race}


def test_images(scorer: Scorer) -> list[CohortImage]:
    """Labelled test images of the cohort that a scorer was taught on, or of all; some of many."""
    rows = CohortImage.objects.filter(patient__split=Split.TEST).exclude(source_labels={})
    if scorer.cohort:
        rows = rows.filter(cohort=scorer.cohort)
    rows = rows.select_related("image__blob", "patient").order_by("image__pixels_sha256")
    return list(rows[:MOST_IMAGES])


def said_of(
    images: Iterable[CohortImage], probabilities: Iterable[Mapping[str, float]]
) -> list[Said]:
    """Returns images with what a scorer gave each finding that is known of them."""
    found = []
    for image, probability in zip(images, probabilities, strict=True):
        known = [name for name in probability if name not in image.unknown_findings]
        found.append(
            Said(
                patient=str(image.patient_id),
                truth={name: name in image.findings for name in known},
                probability={name: probability[name] for name in known},
                traits=traits_of(
                    sex=image.patient.sex,
                    age_years=image.age_years,
                    view=image.view,
                    race=image.patient.race,
                ),
            )
        )
    return found


def reports_of(title: str, said: Sequence[Said]) -> list[dict[str, Any]]:
    """Returns a report a finding of which there are enough images, the most frequent findings
    first.
    """
    names = {name for one in said for name in one.truth}
    ill = {name: sum(one.truth.get(name, False) for one in said) for name in names}
    found = []
    for name in sorted(names, key=lambda name: (-ill[name], name))[:MOST_FINDINGS]:
        known = [one for one in said if name in one.truth]
        if len(known) >= 2 * LEAST and 0 < ill[name] < len(known):
            found.append({"source": title, "finding": name, "images": len(known),
                          "attributes": _attributes(known, name)})  # fmt: skip
    return found


def _attributes(known: Sequence[Said], name: str) -> list[dict[str, Any]]:
    """As many are said to be ill as are: a threshold of one's own would be another question."""
    truth = np.array([one.truth[name] for one in known])
    scores = np.array([one.probability[name] for one in known])
    judged = Judged(
        truth=truth,
        scores=scores,
        patients=np.array([one.patient for one in known]),
        threshold=float(np.quantile(scores, 1 - truth.mean())),
    )
    traits = {
        attribute: np.array([one.traits[attribute] for one in known], dtype=object)
        for attribute in known[0].traits
    }
    told = {attribute: values for attribute, values in traits.items() if (values != "").any()}
    return [plain(asdict(one)) | {"is_biased": bool(one.is_biased)}
            for one in report(judged, with_pairs(told))]  # fmt: skip

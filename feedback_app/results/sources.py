"""What is told only of an unblinded study: figures by model version, and who told real apart."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from feedback_app.images.models import Image
from feedback_app.readings.models import Grade
from feedback_app.results.score_figures import ScoreFigures
from feedback_app.results.tables import Question, StudyTable
from feedback_app.results.truths import FlagRow
from feedback_app.statistics.bootstrap import (
    Cases,
    Estimate,
    Floats,
    Ints,
    estimate,
    nth,
    unknown,
)
from feedback_app.statistics.detection import Detection, detection
from feedback_app.studies.models import CriterionKind, Study


@dataclass(frozen=True)
class Source:
    """Where an image comes from: a model version, or a cohort of real images."""

    name: str
    is_synthetic: bool


@dataclass(frozen=True)
class SourceFigures:
    """``means`` by question, freed of the leniency of whoever happened to read."""

    source: Source
    images: int
    readings: int
    means: tuple[tuple[Question, Estimate], ...]
    minor: int
    major: int
    flags: tuple[tuple[str, int], ...]

    @property
    def flags_per_hundred(self) -> float:
        """Returns flags on 100 readings of an image; NaN where it was not read."""
        return 100 * (self.minor + self.major) / self.readings if self.readings else np.nan

    @property
    def major_per_hundred(self) -> float:
        return 100 * self.major / self.readings if self.readings else np.nan


@dataclass(frozen=True)
class DetectionFigures:
    question: Question
    by_reader: tuple[Detection, ...]
    overall: Detection


def sources_of(study: Study) -> dict[UUID, Source]:
    rows = Image.objects.filter(case__study=study).values_list(
        "pk", "candidate__recipe__model_version__name", "cohort_image__cohort__name"
    )
    return {
        image: Source(version or cohort or "unknown", is_synthetic=version is not None)
        for image, version, cohort in rows.distinct()
    }


def source_figures(
    table: StudyTable,
    flags: Iterable[FlagRow],
    *,
    sources: dict[UUID, Source],
    scores: Iterable[ScoreFigures],
) -> tuple[SourceFigures, ...]:
    """Returns the real images last."""
    of_unit = [sources[image] for image in table.unit_image]
    flagged = _flags_by_source(table, flags, sources=sources)
    rated = [one for one in scores if one.question.kind == CriterionKind.ORDINAL]
    read = _readings_of_units(table)
    found = []
    for source in sorted(set(of_unit), key=lambda one: (not one.is_synthetic, one.name)):
        own = np.array([one == source for one in of_unit])
        grades = {
            grade: sum(n for (_, given), n in flagged[source].items() if given == grade)
            for grade in Grade.values
        }
        kinds: Counter[str] = Counter()
        for (kind, _), count in flagged[source].items():
            kinds[kind] += count
        found.append(
            SourceFigures(
                source=source,
                images=len({table.unit_image[unit] for unit in np.flatnonzero(own)}),
                readings=int(read[own].sum()),
                means=tuple((one.question, _mean(table, one, own)) for one in rated),
                minor=grades[Grade.MINOR],
                major=grades[Grade.MAJOR],
                flags=tuple(kinds.most_common()),
            )
        )
    return tuple(found)


def _readings_of_units(table: StudyTable) -> Ints:
    """Returns how often each image was read, repeats included: what its flags are counted
    against.
    """
    readings = table.readings
    by_case = np.bincount(readings.case[~readings.is_skipped], minlength=len(table.case_ids))
    return by_case[table.unit_case].astype(np.int64)


def _flags_by_source(
    table: StudyTable, flags: Iterable[FlagRow], *, sources: dict[UUID, Source]
) -> dict[Source, Counter[tuple[str, str]]]:
    current = set(table.readings.ids)
    counts: dict[Source, Counter[tuple[str, str]]] = {
        source: Counter() for source in sources.values()
    }
    for reading, image, kind, grade in flags:
        if reading in current:
            counts[sources[image]][kind, grade] += 1
    return counts


def _mean(table: StudyTable, figures: ScoreFigures, own: np.ndarray) -> Estimate:
    leniency = np.array([one.value for one in figures.leniency])
    scores = table.matrix(figures.question.slug)[own] - np.where(np.isnan(leniency), 0, leniency)
    cases = table.unit_case[own]
    read = ~np.isnan(scores)
    if not read.any():
        return unknown("no score yet")
    features = np.stack([np.where(read, scores, 0).sum(axis=1), read.sum(axis=1)], axis=-1)
    found = estimate(Cases.of(cases).sums(features), _ratio)
    return nth(found, 0, count=len(np.unique(cases[read.any(axis=1)])))


def _ratio(sums: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return (sums[..., 0] / sums[..., 1])[..., None]


def detection_figures(
    table: StudyTable, *, sources: dict[UUID, Source]
) -> tuple[DetectionFigures, ...]:
    is_synthetic = np.array([sources[image].is_synthetic for image in table.unit_image], bool)
    found = []
    for question in table.questions:
        if question.kind == CriterionKind.CONFIDENCE:
            scores = table.matrix(question.slug)
            unit, reader = np.nonzero(~np.isnan(scores))
            answers = scores[unit, reader], is_synthetic[unit], table.unit_case[unit]
            found.append(
                DetectionFigures(
                    question=question,
                    by_reader=tuple(
                        detection(*(part[reader == number] for part in answers))
                        for number in range(len(table.readers))
                    ),
                    overall=detection(*answers),
                )
            )
    return tuple(found)

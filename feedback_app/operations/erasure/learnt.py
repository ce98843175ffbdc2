"""Erasing what holds a cohort's pictures, or near copies: instruction sets, cells' own generators.

Counts, cards and figures stay, and say that they cannot be made again.
"""

from collections.abc import Iterator

from django.db.models import Q, QuerySet
from django.utils import timezone

from feedback_app.experiments.models import OwnGenerator
from feedback_app.experiments.services.own_generators import images_of, run_folder
from feedback_app.images.blobs.places import erase_files
from feedback_app.images.cohorts.models import Cohort
from feedback_app.runs.models import Run
from feedback_app.vlms.models import BenchmarkResult, InstructionSet


def goes(cohort: Cohort) -> Iterator[str]:
    """Yields what erasing the cohort takes of these."""
    if count := _sets(cohort).count():
        sets = "instruction set" if count == 1 else "instruction sets"
        yield f"{count:,} {sets}: questions, answers and pictures; counts and figures stay"
    if count := _generators(cohort).count():
        generators = "generator" if count == 1 else "generators"
        yield f"{count:,} {generators} of experiments, with the images that they made"


def pending(cohort: Cohort) -> "QuerySet[Run]":
    """Runs that build these sets, or ask of them, and are not over."""
    sets = _sets(cohort)
    return Run.objects.unfinished().filter(
        Q(instruction_set__in=sets)
        | Q(benchmark_result__instruction_set__in=sets)
        | Q(vlm_gate__instruction_set__in=sets)
    )


def erase_rows(cohort: Cohort) -> list[str]:
    """Mark them; returns the files that are to be removed, and what is left of them to say so."""
    files: set[str] = set()
    for row in _generators(cohort):
        files |= {row.learnt_from_id, *(images_of(row) if row.manifest_id else ())}
        files |= {row.manifest_id} if row.manifest_id else set()
    _generators(cohort).update(erased_at=timezone.now())
    BenchmarkResult.objects.filter(instruction_set__in=_sets(cohort)).update(sheet=[])
    _sets(cohort).update(erased_at=timezone.now(), samples=[])
    return sorted(files)


def erase_folders(cohort: Cohort) -> None:
    """Take their folders away, once the rows say so."""
    for generator in OwnGenerator.objects.filter(cohort_name=cohort.name).exclude(run=None):
        erase_files(run_folder(generator))
    for instructions in InstructionSet.objects.filter(cohorts__contains=[cohort.name]):
        for result in instructions.results.all():
            erase_files(result.path)
        erase_files(instructions.path)


def _sets(cohort: Cohort) -> "QuerySet[InstructionSet]":
    return InstructionSet.objects.filter(cohorts__contains=[cohort.name], erased_at=None)


def _generators(cohort: Cohort) -> "QuerySet[OwnGenerator]":
    return OwnGenerator.objects.filter(cohort_name=cohort.name, erased_at=None)

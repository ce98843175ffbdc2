"""Asking for instructions, for a benchmark, and for the answer to one question: each is a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from feedback_app.accounts.models import User
from feedback_app.images.blobs.models import Image
from feedback_app.images.blobs.places import path_of_blob, put
from feedback_app.images.blobs.services import naming_a_full_disk
from feedback_app.images.candidates.models import Candidate
from feedback_app.images.cohorts.models import CohortImage
from feedback_app.images.cohorts.services import find_cohort
from feedback_app.images.versions.folders import folder_named, location_of
from feedback_app.images.versions.run_folders import new_run_folder, run_folder_with
from feedback_app.requests import at
from feedback_app.runs import services as runs
from feedback_app.runs.models import UNSUCCESSFUL
from feedback_app.vlms.models import BenchmarkResult, ImageQuestion, InstructionSet, VlmVersion
from feedback_app.vlms.requests import (
    AnswersRequest,
    BenchmarkRequest,
    InstructionRequest,
    QuestionRequest,
)
from feedback_app.vlms.services import find_vlm, folder_of, require_vlm
from generation.errors import RemediableError
from generation.specs import BenchmarkSpec, QuestionSpec

BENCHMARK, ARCHIVE, SAMPLES = "benchmark", "instructions.zip", "samples"
"""What lies in an instruction set's folder beside its questions."""
ANSWERS, SHEET = "answers.jsonl", "sheet"
"""What lies in a result's folder."""
OTHERS = 8
"""Other images that a question is asked of too, to be held against."""


@transaction.atomic
def ask_for_instructions(
    asked: InstructionRequest, *, created_by: User | None = None
) -> InstructionSet:
    """Returns an instruction set, to be built; folders on the server are for admins alone to
    name.
    """
    with at("name"):
        if InstructionSet.objects.filter(name=asked.name).exists():
            raise _taken(f"an instruction set “{asked.name}”")
    with at("cohorts"):
        cohorts = [find_cohort(name).name for name in dict.fromkeys(asked.cohorts)]
    with at("data"):
        _require_data(asked.data, created_by=created_by)
        if not (cohorts or asked.data or asked.readings):
            raise RemediableError("Nothing is named to build from.", remedy="Choose a cohort.")
    folder = new_run_folder()
    return InstructionSet.objects.create(
        name=asked.name,
        folder=location_of(folder),
        seed=asked.seed,
        cohorts=cohorts,
        data=location_of(asked.data) if asked.data else "",
        has_readings=asked.readings,
        run=runs.start(
            "build_instructions",
            title=f"Build the instructions {asked.name}",
            spec={"run_dir": location_of(folder)},
            created_by=created_by,
        ),
        created_by=created_by,
    )


def ask_for_benchmark(
    asked: BenchmarkRequest, *, created_by: User | None = None
) -> BenchmarkResult:
    """Returns a version's result on an instruction set's benchmark; the one that there is
    already.
    """
    with at("version"):
        version = find_vlm(asked.version)
    with at("instruction_set"):
        instructions = find_with_benchmark(asked.instruction_set)
    rows = BenchmarkResult.objects.filter(instruction_set=instructions, version=version)
    _forget_failed(rows)
    if there := rows.first():
        return there
    folder = run_folder_with(
        BenchmarkSpec(
            vlm=str(require_vlm(version)),
            instructions=str(instructions.path),
            benchmark=str(instructions.path / BENCHMARK),
        )
    )
    return _result(
        folder,
        "benchmark_vlm",
        title=f"Benchmark {version.name} on {instructions.name}",
        instruction_set=instructions,
        version=version,
        created_by=created_by,
    )


def bring_answers(asked: AnswersRequest, *, created_by: User | None = None) -> BenchmarkResult:
    """Answers of a model that runs elsewhere, to be scored as those of versions are."""
    with at("instruction_set"):
        instructions = find_with_benchmark(asked.instruction_set)
    with at("model"):
        rows = BenchmarkResult.objects.filter(
            instruction_set=instructions, outside_model=asked.model
        )
        _forget_failed(rows)
        if rows.exists() or VlmVersion.objects.filter(name=asked.model).exists():
            raise _taken(f"a model “{asked.model}” in this table")
    folder = new_run_folder()
    with naming_a_full_disk("the answers"):
        (folder / ANSWERS).write_text(asked.answers, encoding="utf-8")
    put(folder)
    return _result(
        folder,
        "score_answers",
        title=f"Score the answers of {asked.model} on {instructions.name}",
        instruction_set=instructions,
        outside_model=asked.model,
        created_by=created_by,
    )


@transaction.atomic
def ask_of_image(asked: QuestionRequest, *, created_by: User | None = None) -> ImageQuestion:
    """Returns a question of one image, which others of its kind are asked too without being
    told of.
    """
    with at("version"):
        version = find_vlm(asked.version)
    with at("image"):
        image = _image(asked.image)
    with at("options"):
        if len(set(asked.options)) != len(asked.options) or len(asked.options) == 1:
            raise RemediableError(
                "Options are two at least, each another.", remedy="Give others, or none."
            )
    folder = run_folder_with(
        QuestionSpec(
            vlm=str(folder_of(version.location)),
            picture=path_of_blob(image.blob_id),
            question=asked.question,
            options=asked.options,
            others=tuple(path_of_blob(blob) for blob in _others(image)) if asked.options else (),
        )
    )
    return ImageQuestion.objects.create(
        version=version,
        image=image,
        question=asked.question,
        options=list(asked.options),
        run=runs.start(
            "ask_vlm",
            title=f"Ask {version.name}: {asked.question}",
            spec={"run_dir": location_of(folder)},
            priority=10,
            created_by=created_by,
        ),
        created_by=created_by,
    )


def find_with_benchmark(name: str) -> InstructionSet:
    found = InstructionSet.objects.filter(name=name).first()
    if found is None or not found.question_count:
        raise RemediableError(
            f"There is no instruction set {name!r} with a benchmark.",
            remedy="Build one of cohorts that have test patients.",
        )
    if found.erased_at:
        raise RemediableError(
            f"“{name}” was erased with a cohort that it asked of.",
            remedy="Build another one; figures on this one stay as they are.",
        )
    return found


def _require_data(data: str, *, created_by: User | None) -> None:
    if not data:
        return
    if created_by is not None and not created_by.is_admin:
        raise RemediableError(
            "A folder on the server is named by admins alone.", remedy="Choose cohorts."
        )
    if folder_named(data) is None:
        raise RemediableError(f"There is no folder {data}.", remedy="Name another one.")


def _image(key: str) -> Image:
    try:
        return Image.objects.get(pk=key)
    except (Image.DoesNotExist, ValidationError) as error:
        raise RemediableError(
            "There is no such image.", remedy="Take the id from the page of a candidate."
        ) from error


def _others(image: Image) -> Sequence[str]:
    """Blobs of images of the same kind, of other patients, in an order that is always the same."""
    real = CohortImage.objects.filter(image=image).first()
    if real:
        rows: QuerySet[Any] = real.cohort.images.exclude(patient=real.patient)
        rows = rows.order_by("image__pixels_sha256")
    else:
        rows = Candidate.objects.exclude(image=image).order_by("image__pixels_sha256")
    return list(rows.values_list("image__blob", flat=True)[:OTHERS])


@transaction.atomic
def _result(
    folder: Path, kind: str, *, title: str, created_by: User | None, **facts: Any
) -> BenchmarkResult:
    run = runs.start(
        kind, title=title, spec={"run_dir": location_of(folder)}, created_by=created_by
    )
    return BenchmarkResult.objects.create(
        folder=location_of(folder), run=run, created_by=created_by, **facts
    )


def _forget_failed(rows: "QuerySet[BenchmarkResult]") -> None:
    """A result that never came to be stands in nobody's way."""
    rows.filter(run__state__in=UNSUCCESSFUL).delete()


def _taken(what: str) -> RemediableError:
    return RemediableError(f"There is {what} already.", remedy="Choose another name.")

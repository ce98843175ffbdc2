"""A cohort to ask about, an instruction set of it, and answers to its benchmark."""

import json
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

from feedback_app.accounts.models import User
from feedback_app.images.cohorts.models import Cohort, Sex
from feedback_app.readings.services import GivenPreference, GivenReport
from feedback_app.runs import services as runs
from feedback_app.studies.models import Study
from feedback_app.vlms.asking import BENCHMARK, ask_for_instructions, bring_answers
from feedback_app.vlms.learning.gate_models import VlmGate
from feedback_app.vlms.learning.lessons import HELD_OUT_ONE_IN, patient_key
from feedback_app.vlms.learning.models import ReportSnapshot, VlmFineTune
from feedback_app.vlms.models import BenchmarkResult, InstructionSet, VlmVersion
from feedback_app.vlms.requests import AnswersRequest, InstructionRequest
from generation.vlm.benchmark.choices import rotations
from generation.vlm.benchmark.items import Question, read_benchmark
from tests.experiments.making import make_cohort
from tests.readings.answers import read
from tests.readings.rooms import COHORT_NAME, assign, make_room, real

LONG_DRAFT = "There is a small effusion on the left side."


def asked_cohort(name: str = "asked", *, test: int = 44) -> Cohort:
    """Every other image has pneumonia; views, sexes and ages differ otherwise."""
    cohort = make_cohort(name, train=24, validation=2, test=test)
    for number, row in enumerate(cohort.images.select_related("patient").order_by("source_id")):
        is_ill = bool(number % 2)
        row.findings = ["pneumonia"] if is_ill else []
        row.is_normal, row.unknown_findings = not is_ill, []
        row.source_labels = {"label": "pneumonia" if is_ill else "normal"}
        row.view, row.age_years = ("PA", 30) if number % 3 else ("AP", 70)
        row.save()
        row.patient.sex = Sex.FEMALE if number % 4 < 2 else Sex.MALE
        row.patient.save()
    return cohort


def built(*cohorts: Cohort, name: str = "November") -> InstructionSet:
    request = InstructionRequest(name=name, cohorts=tuple(one.name for one in cohorts))
    row = ask_for_instructions(request)
    run = runs.execute(row.run_id)
    assert run is not None
    assert run.state == "succeeded", run.error
    row.refresh_from_db()
    return row


def questions_of(row: InstructionSet) -> tuple[Question, ...]:
    return read_benchmark(row.path / BENCHMARK).questions


def right(question: Question, *, by_picture: bool = False) -> dict[str, object]:
    """An answer by likelihood, in every order, to the question by its id or its picture."""
    scores = [[-1.0 if question.options[place] == question.answer else -2.0 for place in order]
              for order in rotations(len(question.options))]  # fmt: skip
    if by_picture:
        return {"image": question.image_sha256[0], "question": question.question, "scores": scores}
    return {"id": question.id, "scores": scores}


def wrong(question: Question) -> dict[str, object]:
    """What a model that does not look says: the first option, whatever is asked."""
    return {"id": question.id, "answer": question.options[0], "blind": True}


def brought(row: InstructionSet, *, model: str = "elsewhere") -> BenchmarkResult:
    lines = [json.dumps(line) for one in questions_of(row) if one.kind == "choice"
             for line in (right(one), wrong(one))]  # fmt: skip
    request = AnswersRequest(model=model, instruction_set=row.name, answers="\n".join(lines))
    result = bring_answers(request)
    run = runs.execute(result.run_id)
    assert run is not None
    assert run.state == "succeeded", run.error
    result.refresh_from_db()
    return result


def some_version(name: str = "reader-of-chests") -> VlmVersion:
    return VlmVersion.objects.create(name=name, location="bundled", sha256="0" * 64, family="llava")


def report_readings(
    reader: User, *, taught: int = 10, held_out: int = 2, accepts: bool = True
) -> Study:
    """A study in which a reader shortened every second draft and accepted the others, or all."""
    texts = [("a model", LONG_DRAFT)]
    seeds = [
        *islice(_seeds(is_held_out=False), taught),
        *islice(_seeds(is_held_out=True), held_out),
    ]
    study = make_room(
        "write_report", reader, cases=[[real(seed)] for seed in seeds], texts=texts, name="Drafts"
    )
    for number, slot in enumerate(assign(study, reader)):
        edited = GivenReport("No effusion.", ["style"])
        accepted = GivenReport(LONG_DRAFT, is_accepted=True)
        read(slot, report=accepted if accepts and number % 2 else edited)
    return study


def compared(reader: User, *points: int) -> Study:
    """A case each sum of points, towards the model's report where they are above 0."""
    two = [("a model", "Effusion."), ("cohort", "No effusion.")]
    study = make_room(
        "compare_reports", reader, cases=[[real(n)] for n in range(len(points))], texts=two
    )
    for slot, towards_model in zip(assign(study, reader), points, strict=True):
        sign = -1 if slot.texts_in_order()[0].source == "a model" else 1
        given = [GivenPreference("completeness", sign * towards_model),
                 GivenPreference("correctness", 0)]  # fmt: skip
        read(slot, preferences=given)
    return study


def _seeds(*, is_held_out: bool) -> Iterator[int]:
    """Yields seeds of images whose patients are held out of lessons, or are not."""
    for seed in count(9_000):
        key = patient_key(COHORT_NAME, f"patient-{seed}")
        if (int(key, 16) % HELD_OUT_ONE_IN == 0) == is_held_out:
            yield seed


def lines_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def being_taught(snapshot: ReportSnapshot, parent: VlmVersion | None = None) -> VlmFineTune:
    """A row as the request makes it, of a version whose weights are not there."""
    run = runs.start("teach_vlm", title="Teach child what readers prefer", spec={})
    return VlmFineTune.objects.create(
        name="child",
        snapshot=snapshot,
        parent=parent or some_version("parent"),
        method="dpo",
        settings={"steps": 2},
        run=run,
    )


def being_gated(row: VlmFineTune, instruction_set: InstructionSet) -> VlmGate:
    """A gate as the request makes it, of versions whose weights are not there."""
    return VlmGate.objects.create(
        child=some_version("gated child"),
        parent=row.parent,
        instruction_set=instruction_set,
        snapshot=row.snapshot,
        margin=0.05,
        folder="",
        run=runs.start("gate_vlm", title="Gate of gated child", spec={}),
    )

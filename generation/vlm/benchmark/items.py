"""The benchmark: questions on test patients, frozen in a file with its hash.

Made of the test split of instructions (``build``), or read from CheXbench's own ``data.json``
where somebody has it (``read_data_json``).
"""

import hashlib
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from generation.errors import RemediableError
from generation.vlm.benchmark.choices import blind_partners, majority
from generation.vlm.instructions.records import Read

Kind = Literal["choice", "text", "box"]
KINDS: tuple[Kind, ...] = get_args(Kind)
QUESTIONS, MANIFEST = "questions.jsonl", "manifest.json"
MULTI, BINARY = "multi-disease identification", "binary disease"
TASKS: Mapping[str, tuple[str, Kind]] = {
    "view classification": ("view classification", "choice"),
    "sex classification": ("sex classification", "choice"),
    "age classification": ("age classification", "choice"),
    "binary disease classification": (BINARY, "choice"),
    "single disease identification": ("single-disease identification", "choice"),
    "image classification": (MULTI, "choice"),
    "closed question answering": ("visual question answering", "choice"),
    "image-text selection": ("image-text reasoning", "choice"),
    "findings generation": ("findings generation", "text"),
    "findings summarisation": ("findings summarisation", "text"),
    "abnormality grounding": ("grounding", "box"),
    "phrase grounding": ("grounding", "box"),
}
"""The task of the benchmark that each task of instructions gives, and how it is answered."""
YES_OR_NO = ("yes", "no")
MULTI_OPTIONS, TEXT_OPTIONS = 4, 2
MOST = 500
"""Questions of one task and source."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """``options`` in the question's own order, of which ``answer`` is one; empty for a text.

    ``blind_images`` are another patient's, to be asked with instead; empty where none could be
    had. ``majority`` is the most frequent answer in training. ``image_sha256`` are the hashes of
    the pictures' files, by which others may name them; empty where they were not at hand.
    """

    id: str
    task: str
    source: str
    patient: str
    kind: Kind
    images: tuple[str, ...]
    question: str
    answer: str
    options: tuple[str, ...] = ()
    blind_images: tuple[str, ...] = ()
    majority: str = ""
    image_sha256: tuple[str, ...] = ()

    @property
    def finding(self) -> str:
        """What a question of a binary disease asks for; empty for all others."""
        return self.id.rpartition("/")[2] if self.task == BINARY else ""


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """The questions in their order, and the SHA-256 of the file that they were read from."""

    questions: tuple[Question, ...]
    sha256: str
    by_id: Mapping[str, Question] = field(init=False)
    by_picture: Mapping[tuple[tuple[str, ...], str], list[Question]] = field(init=False)
    """By the hashes of the pictures, and the question in words."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", {one.id: one for one in self.questions})
        found: dict[tuple[tuple[str, ...], str], list[Question]] = defaultdict(list)
        for one in self.questions:
            if one.image_sha256:
                found[one.image_sha256, one.question].append(one)
        object.__setattr__(self, "by_picture", dict(found))


def build(instructions: Path, *, seed: str = "0", most: int = MOST) -> list[Question]:
    """Questions of the test split, at most so many of a task and source, chosen by hash."""
    usual = _majorities(instructions)
    groups: dict[tuple[str, str], list[Question]] = defaultdict(list)
    for row in _rows(instructions, "test"):
        if question := _question(row, seed=seed):
            groups[question.task, question.source].append(question)
    questions = []
    for (task, source), group in sorted(groups.items()):
        kept = sorted(group, key=lambda one: _draw(one.id, seed=seed))[:most]
        if task == MULTI:
            kept = list(_with_other_sets(kept, seed=seed))
        kept = [replace(one, majority=usual.get((task, source), "")) for one in kept]
        questions += with_blind_images(sorted(kept, key=lambda one: one.id))
    return questions


def read_data_json(path: Path) -> list[Question]:
    """CheXbench's questions by task; a picture is a patient, since no patient is told."""
    try:
        tasks = json.loads(path.read_text(encoding="utf-8"))
        questions = []
        for task, samples in tasks.items():
            for number, sample in enumerate(samples):
                options = [str(sample[f"option_{place}"]) for place in range(MULTI_OPTIONS)
                           if sample.get(f"option_{place}") not in {None, ""}]  # fmt: skip
                images = tuple(str(sample["image_path"]).split("|"))
                questions.append(
                    Question(
                        id=f"{task}/{number}",
                        task=task,
                        source=str(sample["data_source"]),
                        patient=images[0],
                        kind="choice",
                        images=images,
                        question=str(sample["question"]),
                        answer=options[int(sample["answer"])],
                        options=tuple(options),
                    )
                )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise RemediableError(
            f"{path} is not CheXbench's data.json: {error!r}",
            remedy="Give the file as its authors distribute it.",
        ) from error
    return with_blind_images(questions)


def with_blind_images(questions: Sequence[Question]) -> list[Question]:
    """Returns each with the pictures of another patient's question of the same task and source."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, question in enumerate(questions):
        if question.images:
            groups[question.task, question.source].append(place)
    blind = list(questions)
    for places in groups.values():
        patients = [questions[place].patient for place in places]
        if 2 * max(Counter(patients).values()) > len(places):
            continue
        for place, partner in zip(places, blind_partners(patients, seed=0), strict=True):
            blind[place] = replace(questions[place], blind_images=questions[places[partner]].images)
    return blind


def all_asked(questions: Sequence[Question]) -> list[tuple[Question, bool]]:
    """Returns each question as it is, and once more blind where it can be."""
    return [(one, is_blind) for one in questions
            for is_blind in ((False, True) if one.blind_images else (False,))]  # fmt: skip


def with_hashes(
    questions: Sequence[Question], folders: Mapping[str, Path], *, read: Read = Path.read_bytes
) -> list[Question]:
    """Returns each with the SHA-256 of its pictures' files, where all of them can be read."""
    known: dict[str, str] = {}

    def hash_of(name: str) -> str:
        if name not in known:
            source, _, place = name.partition("/")
            known[name] = ""
            with suppress(KeyError, OSError):
                known[name] = hashlib.sha256(read(folders[source] / place)).hexdigest()
        return known[name]

    return [
        replace(one, image_sha256=hashes if all(hashes) else ())
        for one in questions
        for hashes in [tuple(hash_of(name) for name in one.images)]
    ]


def freeze(questions: Sequence[Question], folder: Path) -> Benchmark:
    """Write questions and their hash; the same questions give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in questions)
    (folder / QUESTIONS).write_text(lines, encoding="utf-8")
    counts = Counter(f"{one.task} / {one.source}" for one in questions)
    manifest = {
        "sha256": hashlib.sha256(lines.encode()).hexdigest(),
        "questions": len(questions),
        "patients": len({one.patient for one in questions}),
        "by_task_and_source": dict(sorted(counts.items())),
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    return read_benchmark(folder)


def read_benchmark(folder: Path) -> Benchmark:
    """Returns a frozen benchmark; one that was changed since is refused."""
    try:
        content = (folder / QUESTIONS).read_bytes()
        told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["sha256"]
        questions = tuple(_read(json.loads(line)) for line in content.splitlines())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RemediableError(
            f"{folder} holds no benchmark: {error!r}",
            remedy="Build one with python -m generation.commands.build_benchmark.",
        ) from error
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != told:
        raise RemediableError(
            f"{folder / QUESTIONS} was changed after it was frozen.",
            remedy="Build the benchmark again into another folder, and score all models on it.",
        )
    return Benchmark(questions=questions, sha256=sha256)


def _read(row: Mapping[str, Any]) -> Question:
    names = ("images", "options", "blind_images", "image_sha256")
    texts = {name: tuple(row.get(name, ())) for name in names}
    return Question(**{**row, **texts})


def _rows(instructions: Path, split: str) -> Iterator[dict[str, Any]]:
    paths = sorted((instructions / split).glob("*.jsonl"))
    if not paths and split == "test":
        raise RemediableError(
            f"{instructions} holds no instructions of test patients.",
            remedy="Build them with manage.py build_instructions.",
        )
    for path in paths:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if row["task"] in TASKS:
                    yield row


def _question(row: Mapping[str, Any], *, seed: str) -> Question | None:
    task, kind = TASKS[row["task"]]
    answer = row["options"][row["option"]] if row["options"] else row["answer"]
    options = tuple(row["options"])
    if kind == "choice" and answer in YES_OR_NO:
        options = YES_OR_NO
    if task == "image-text reasoning":
        wrong = next(option for option in options if option != answer)
        options = _shuffled((answer, wrong), row["id"], seed=seed)
    if task == MULTI and "," not in answer:
        return None
    if kind == "choice" and len(options) < TEXT_OPTIONS and task != MULTI:
        return None
    return Question(
        id=row["id"],
        task=task,
        source=row["source"],
        patient=row["patient"],
        kind=kind,
        images=tuple(row["images"]),
        question=row["stem"],
        answer=answer,
        options=options,
    )


def _with_other_sets(questions: Iterable[Question], *, seed: str) -> Iterator[Question]:
    """Sets of findings beside three sets of other exams; where there are too few, nothing."""
    asked = list(questions)
    sets = sorted({one.answer for one in asked})
    for one in asked:
        others = [answer for answer in sets if answer != one.answer]
        if len(others) < MULTI_OPTIONS - 1:
            continue
        wrong = random.Random(f"{seed}:{one.id}").sample(others, MULTI_OPTIONS - 1)
        yield replace(one, options=_shuffled((one.answer, *wrong), one.id, seed=seed))


def _majorities(instructions: Path) -> dict[tuple[str, str], str]:
    """Returns, by task and source, the most frequent answer of training."""
    answers: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in _rows(instructions, "train"):
        task, kind = TASKS[row["task"]]
        if kind == "choice":
            answer = row["options"][row["option"]] if row["options"] else row["answer"]
            if task != MULTI or "," in answer:
                answers[task, row["source"]].append(answer)
    return {key: majority(found) for key, found in answers.items()}


def _shuffled(options: Sequence[str], key: str, *, seed: str) -> tuple[str, ...]:
    return tuple(random.Random(f"{seed}:{key}:order").sample(options, len(options)))


def _draw(key: str, *, seed: str) -> str:
    return hashlib.sha256(f"{seed}:{key}".encode()).hexdigest()

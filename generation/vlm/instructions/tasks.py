"""All tasks by family, and how a draft is put into words."""

import random
from collections.abc import Sequence

from generation.specs import Split
from generation.vlm.instructions.families import (
    coarse_perception,
    fine_perception,
    other,
    question_answering,
    reader_feedback,
    text_generation,
)
from generation.vlm.instructions.records import Draft, Exam, Instruction

FAMILIES = {
    "coarse perception": coarse_perception.TEMPLATES,
    "fine perception": fine_perception.TEMPLATES,
    "text generation": text_generation.TEMPLATES,
    "question answering": question_answering.TEMPLATES,
    "other": other.TEMPLATES,
    "reader feedback": reader_feedback.TEMPLATES,
}
TEMPLATES = {task: own for family in FAMILIES.values() for task, own in family.items()}
FAMILY_OF = {task: family for family, own in FAMILIES.items() for task in own}
LETTERS = ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", tuple("123456789"))
SHORT = 60
OMITTED_SHARE = 0.5
"""How often a question that can be asked without its options is."""


def word(draft: Draft, exam: Exam, *, split: Split, patient: str, seed: str) -> Instruction:
    """Returns a draft in words: a template, the options in an order and with letters that are
    drawn.

    The same draft gets the same words whenever it is worded.
    """
    key = "/".join(part for part in (exam.source, exam.key, draft.task, draft.key) if part)
    randomness = random.Random(f"{seed}:{key}")
    stem = _fill(draft, source=exam.source, randomness=randomness)
    options = tuple(randomness.sample(draft.options, len(draft.options)))
    if draft.may_omit and options and randomness.random() < OMITTED_SHARE:
        options = ()
    place = options.index(draft.answer) if options else -1
    listed = _with_letters(options, randomness) if options else ()
    return Instruction(
        id=key,
        source=exam.source,
        family=FAMILY_OF[draft.task],
        task=draft.task,
        split=split,
        patient=patient,
        images=tuple(picture.name for picture in draft.pictures),
        question=f"{stem}\nOptions: {_joined(listed)}" if listed else stem,
        answer=listed[place] if listed else draft.answer,
        stem=stem,
        options=options,
        option=place,
        boxes=tuple(region.box for region in draft.regions),
        labels=tuple(region.label for region in draft.regions),
    )


def tag(task: str, *, source: str) -> str:
    """Returns the bare name of a task, by which a model that learnt it can be asked."""
    return f"[{task}] [{source}]"


def _fill(draft: Draft, *, source: str, randomness: random.Random) -> str:
    """Returns one of the task's templates, or its tag with the words that it needs."""
    templates = TEMPLATES[draft.task]
    place = randomness.randrange(len(templates) + 1)
    if place < len(templates):
        return templates[place].format(**draft.words)
    return " ".join((tag(draft.task, source=source), *draft.words.values()))


def _joined(options: Sequence[str]) -> str:
    """Short ones on one line."""
    is_short = all(len(option) <= SHORT for option in options)
    return (", " if is_short else "\n").join(options)


def _with_letters(options: tuple[str, ...], randomness: random.Random) -> tuple[str, ...]:
    """``(Q) pneumonia``: letters of one style, in no order, so that they tell nothing."""
    letters = randomness.choice([style for style in LETTERS if len(style) >= len(options)])
    drawn = randomness.sample(letters, len(options))
    return tuple(f"({letter}) {option}" for letter, option in zip(drawn, options, strict=True))

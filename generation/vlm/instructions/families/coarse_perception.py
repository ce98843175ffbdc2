"""Coarse perception: what a whole picture shows, from which side, of whom."""

import random
from collections.abc import Iterator

from generation.conditioning.facts import AGE_BANDS, age_band
from generation.vlm.instructions.census import NO, YES, Census
from generation.vlm.instructions.pool import Pool
from generation.vlm.instructions.records import Draft, Exam, Picture

CLASSIFY, BINARY, SINGLE = (
    "image classification", "binary disease classification", "single disease identification",
)  # fmt: skip
VIEW, MATCH, SEX, AGE = (
    "view classification", "view matching", "sex classification", "age classification",
)  # fmt: skip
SEXES = {"F": "female", "M": "male"}
SINGLE_OPTIONS = 4

TEMPLATES = {
    CLASSIFY: (
        "Which findings does this chest X-ray show?",
        "List every abnormality on this radiograph.",
        "Go over this chest film and name what is abnormal.",
        "What would you report on this chest X-ray? Give the findings by name.",
        "Label this chest radiograph with all findings that apply.",
        "Name the findings that are present in this picture of the chest.",
        "Is anything abnormal here? If so, say what.",
        "Give the diagnoses that this chest X-ray supports, or say that there is no finding.",
    ),
    BINARY: (
        "Does this chest X-ray show {finding}?",
        "Is {finding} present on this radiograph?",
        "Can {finding} be seen in this picture?",
        "Look for {finding}: is it there?",
        "Would you say that this patient has {finding}, going by this chest film?",
        "Is there evidence of {finding} on this image?",
        "Decide whether {finding} is visible on this chest X-ray.",
        "Yes or no: this radiograph shows {finding}.",
    ),
    SINGLE: (
        "Which one of these does this chest X-ray show?",
        "One of the findings below is on this radiograph. Which?",
        "Pick the finding that this picture shows.",
        "Only one of these is present here: name it.",
        "Choose what fits this chest film best.",
        "What is seen on this chest X-ray?",
        "Which of the findings listed explains this image?",
        "Identify the abnormality of this radiograph from the list.",
    ),
    VIEW: (
        "From which side was this chest X-ray taken?",
        "Which projection is this?",
        "Name the view of this radiograph.",
        "How did the beam pass through the chest in this picture?",
        "What is the view position of this chest film?",
        "Tell the projection of this image.",
        "In which view was this patient examined?",
        "Classify the projection of this chest radiograph.",
    ),
    MATCH: (
        "Do these two pictures come from one examination of one patient?",
        "Were both of these radiographs taken in the same examination?",
        "Same examination or not: what do you say of these two images?",
        "Look at both pictures. Do they belong together as one examination?",
        "Could these two chest X-rays be two views of the same visit?",
        "Are these images a pair from a single examination?",
        "Decide whether these radiographs show one patient at one time.",
        "Two chest films are given. Is it one examination?",
    ),
    SEX: (
        "Is this the chest of a woman or a man?",
        "What is the sex of this patient?",
        "Going by this radiograph, which sex is the patient?",
        "Tell the patient's sex from this chest X-ray.",
        "Whose chest is this: female or male?",
        "Say whether this patient is female or male.",
        "Which sex does the anatomy in this picture suggest?",
        "Name the sex of the person on this chest film.",
    ),
    AGE: (
        "How old is this patient, roughly?",
        "Which age group does this patient belong to?",
        "Estimate the patient's age from this chest X-ray.",
        "Into which band of ages would you put this patient?",
        "What does this radiograph say of the patient's age?",
        "Give the age group of the person on this chest film.",
        "Going by bones and vessels, how old is this patient?",
        "Judge the age of this patient from the picture.",
    ),
}  # fmt: skip


def drafts(exam: Exam, *, census: Census, pool: Pool, seed: str) -> Iterator[Draft]:
    if not exam.pictures or exam.is_secondary:
        return
    randomness = random.Random(f"{seed}:{exam.source}:{exam.key}:coarse")
    main = exam.pictures[0]
    yield from _classification(exam, main, census=census)
    yield from _single(exam, main, randomness=randomness)
    yield from _binary(exam, main, census=census)
    yield from _of_whom(exam, main, census=census)
    yield from _matching(exam, pool=pool, randomness=randomness)


def _classification(exam: Exam, main: Picture, *, census: Census) -> Iterator[Draft]:
    """Yields all findings of an exam whose labels say what there is; normal ones are thinned."""
    if not exam.labelling or not census.varies("findings"):
        return
    draft = Draft(task=CLASSIFY, answer=exam.labelling, pictures=(main,))
    if exam.present or census.keeps_normal(exam, task=CLASSIFY):
        yield draft


def _single(exam: Exam, main: Picture, *, randomness: random.Random) -> Iterator[Draft]:
    """Yields one present finding among findings that are known to be absent."""
    if not exam.present or len(exam.absent) < SINGLE_OPTIONS - 1:
        return
    right = randomness.choice(exam.present)
    wrong = randomness.sample(exam.absent, SINGLE_OPTIONS - 1)
    yield Draft(task=SINGLE, answer=right, options=(right, *wrong), pictures=(main,))


def _binary(exam: Exam, main: Picture, *, census: Census) -> Iterator[Draft]:
    """Yields each finding with as many who lack it as have it, so that the name alone tells
    nothing.
    """
    for finding, answer in (
        *((finding, YES) for finding in exam.present),
        *((finding, NO) for finding in exam.absent),
    ):
        if not census.has_both(finding):
            continue
        if census.keeps(exam, finding, is_present=answer == YES, task=BINARY):
            yield Draft(
                task=BINARY,
                key=finding,
                answer=answer,
                words={"finding": finding},
                options=(YES, NO),
                may_omit=True,
                pictures=(main,),
            )


def _of_whom(exam: Exam, main: Picture, *, census: Census) -> Iterator[Draft]:
    """View of every picture, sex and age of every exam, where the source has more than one."""
    views = census.values("view")
    for place, picture in enumerate(exam.pictures):
        if picture.view and len(views) > 1:
            yield Draft(task=VIEW, key=str(place), answer=picture.view, options=views,
                        pictures=(picture,))  # fmt: skip
    if exam.sex in SEXES and len(census.values("sex")) > 1:
        options = tuple(SEXES.values())
        yield Draft(task=SEX, answer=SEXES[exam.sex], options=options, pictures=(main,))
    band = age_band(exam.age_years)
    if band and len(census.values("age")) > 1:
        yield Draft(task=AGE, answer=band, options=tuple(AGE_BANDS), pictures=(main,))


def _matching(exam: Exam, *, pool: Pool, randomness: random.Random) -> Iterator[Draft]:
    """Two pictures of one exam, and in turn one of them beside another patient's."""
    if len(exam.pictures) < 2:
        return
    first, second = exam.pictures[:2]
    pairs = [(YES, (first, second))]
    if other := pool.of_another_patient(exam, randomness):
        pairs.append((NO, (first, other.pictures[-1])))
    for answer, pair in pairs:
        yield Draft(task=MATCH, key=answer, answer=answer, options=(YES, NO), may_omit=True,
                    pictures=tuple(randomness.sample(pair, 2)))  # fmt: skip

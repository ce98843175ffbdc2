"""Other tasks: which text belongs to a picture, how two texts relate, what a text names."""

import random
from collections.abc import Iterator, Mapping, Sequence

from generation.vlm.instructions.census import NO, YES
from generation.vlm.instructions.pool import Pool
from generation.vlm.instructions.records import Draft, Exam

MATCHING, SELECTION = "image-text matching", "image-text selection"
EVALUATE, INFER, RECOGNISE = (
    "report evaluation", "natural language inference", "entity recognition",
)  # fmt: skip
RELATIONS = ("entailment", "neutral", "contradiction")
SUBSET_SHARE = 0.2
"""How many of the texts that belong to their picture are a part of their sentences."""
TEXTS = 4

TEMPLATES = {
    MATCHING: (
        "Does this text describe the picture? {text}",
        "{text} Is that the report of this chest X-ray?",
        "Check the text against the radiograph: do they belong together? {text}",
        "Was this written of the image given? {text}",
        "Text: {text} Does it fit the picture?",
        "Decide whether image and text match. {text}",
        "Could a radiologist have written this of the chest film? {text}",
        "Right report or wrong one: {text}",
    ),
    SELECTION: (
        "Which of these texts describes the picture?",
        "One of these was written of this chest X-ray. Which?",
        "Choose the report that belongs to this radiograph.",
        "Pick the text that fits the image.",
        "Find the description of this chest film among these.",
        "Only one text is of this patient: which one?",
        "Which report would you file with this picture?",
        "Select what a radiologist wrote of this image.",
    ),
    EVALUATE: (
        "Reference: {reference}\nCandidate: {candidate}\nHow many significant errors of each kind?",
        "Count the candidate's significant errors by kind.\nReference: {reference}\n{candidate}",
        "A model wrote: {candidate}\nA radiologist wrote: {reference}\nCount the model's errors.",
        "Grade this report: {candidate}\nThe right one: {reference}\nList significant errors.",
        "What is wrong, and how often, in this candidate?\n{candidate}\nReference:\n{reference}",
        "Judge the candidate below by the reference above it.\n{reference}\n---\n{candidate}",
        "Correct text: {reference}\nText to check: {candidate}\nWhich errors matter, how many?",
        "Find clinically significant errors.\nReference report: {reference}\nDraft: {candidate}",
    ),
    INFER: (
        "Premise: {premise}\nHypothesis: {hypothesis}\nHow do they relate?",
        "If this holds: {premise}\nthen what of this? {hypothesis}",
        "Entailment, contradiction or neither?\n{premise}\n{hypothesis}",
        "A report says: {premise}\nSomebody concludes: {hypothesis}\nJudge that.",
        "Name the relation of these sentences.\n1. {premise}\n2. {hypothesis}",
        "Given “{premise}”, what can be said of “{hypothesis}”?",
        "Sentence: {premise}\nClaim: {hypothesis}\nRelation?",
        "Read both and decide how the second follows from the first.\n{premise}\n{hypothesis}",
    ),
    RECOGNISE: (
        "Which words of this report name this kind of thing: {kind}?\n{text}",
        "Find every mention of the kind “{kind}” in: {text}",
        "Report: {text}\nList all that is {kind}.",
        "Extract the entities of type {kind}.\n{text}",
        "Copy from the text what belongs under “{kind}”.\n{text}",
        "Mark mentions that are {kind}: {text}",
        "{text}\nWhich entities here are of the type {kind}?",
        "Go through the report and note each entity that is {kind}.\n{text}",
    ),
}  # fmt: skip


def drafts(exam: Exam, *, pool: Pool, seed: str) -> Iterator[Draft]:
    """Texts that belong to an exam's picture, and texts of exams with other findings."""
    text = text_of(exam)
    if not (exam.pictures and text) or exam.is_secondary:
        return
    randomness = random.Random(f"{seed}:{exam.source}:{exam.key}:texts")

    def differs(other: Exam) -> bool:
        return set(other.present) != set(exam.present) and bool(text_of(other))

    told = _some_sentences(text, randomness) if randomness.random() < SUBSET_SHARE else text
    yield _matching(exam, text=told, answer=YES)
    others = [pool.of_another_patient(exam, randomness, suits=differs) for _ in range(TEXTS - 1)]
    wrong = list(dict.fromkeys(text_of(other) for other in others if other))
    if wrong:
        yield _matching(exam, text=wrong[0], answer=NO)
        yield Draft(task=SELECTION, answer=text, options=(text, *wrong),
                    pictures=exam.pictures[:1])  # fmt: skip


def text_of(exam: Exam) -> str:
    """Returns what an exam's report concludes, or what it finds where it concludes nothing."""
    return exam.sections.get("impression") or exam.sections.get("findings") or ""


def relate(premise: str, hypothesis: str, *, relation: str) -> Draft:
    return Draft(task=INFER, answer=relation, options=RELATIONS,
                 words={"premise": premise, "hypothesis": hypothesis})  # fmt: skip


def name_entities(text: str, *, kind: str, found: Sequence[str]) -> Draft:
    """Returns what a text names of one kind, in the order of the text."""
    return Draft(task=RECOGNISE, key=kind, answer="; ".join(found) or "none",
                 words={"text": text, "kind": kind})  # fmt: skip


def evaluate(reference: str, candidate: str, *, errors: Mapping[str, int], key: str) -> Draft:
    """Returns how many significant errors of each kind a candidate has."""
    told = "; ".join(f"{kind}: {count}" for kind, count in errors.items() if count)
    return Draft(task=EVALUATE, key=key, answer=told or "none",
                 words={"reference": reference, "candidate": candidate})  # fmt: skip


def _matching(exam: Exam, *, text: str, answer: str) -> Draft:
    return Draft(task=MATCHING, key=answer, answer=answer, options=(YES, NO), may_omit=True,
                 words={"text": text}, pictures=exam.pictures[:1])  # fmt: skip


def _some_sentences(text: str, randomness: random.Random) -> str:
    """Some of the sentences in their order; the whole text where there is only one."""
    sentences = [part.strip() for part in text.split(". ") if part.strip()]
    if len(sentences) < 2:
        return text
    count = randomness.randint(1, len(sentences) - 1)
    chosen = sorted(randomness.sample(range(len(sentences)), count))
    return ". ".join(sentences[place].rstrip(".") for place in chosen) + "."

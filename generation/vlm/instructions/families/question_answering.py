"""Question answering: open and closed questions of people, on pictures, pairs and reports."""

from generation.vlm.instructions.census import NO, YES
from generation.vlm.instructions.records import Draft, Picture

OPEN, CLOSED, DIFFERENCE, TEXT = (
    "open question answering", "closed question answering",
    "difference question answering", "text question answering",
)  # fmt: skip
YES_OR_NO = (YES, NO)

TEMPLATES = {
    OPEN: (
        "{question}",
        "Answer from the picture: {question}",
        "Look at this chest X-ray. {question}",
        "A clinician asks: {question}",
        "{question} Answer in a few words.",
        "Question on this radiograph: {question}",
        "Here is a chest film. {question}",
        "Please answer shortly. {question}",
    ),
    CLOSED: (
        "{question}",
        "Choose the answer: {question}",
        "Look at this chest X-ray and decide. {question}",
        "A clinician wants to know: {question}",
        "{question} Give one of the possible answers.",
        "Decide from this radiograph: {question}",
        "Here is a chest film. Which answer holds? {question}",
        "Only one answer is right. {question}",
    ),
    DIFFERENCE: (
        "The first picture is the earlier one. {question}",
        "Compare both pictures. {question}",
        "Two examinations of one patient are given, the earlier first. {question}",
        "Earlier and later chest X-ray: {question}",
        "{question} The first image is the prior one.",
        "With the first film as reference: {question}",
        "Answer by comparing the second image with the first. {question}",
        "Follow-up after an earlier image: {question}",
    ),
    TEXT: (
        "{report}\n{question}",
        "Report: {report}\nQuestion: {question}",
        "Read this report and answer. {report}\n{question}",
        "{question}\nAnswer from this report: {report}",
        "According to the report below, {question}\n{report}",
        "A report reads: {report}\nGoing by it: {question}",
        "Question on a report: {question}\nThe report: {report}",
        "Use only this text: {report}\n{question}",
    ),
}  # fmt: skip


def ask(
    question: str,
    answer: str,
    *,
    key: str,
    pictures: tuple[Picture, ...] = (),
    options: tuple[str, ...] = (),
    report: str = "",
    balanced: str = "",
) -> Draft:
    """Returns a question as people put it: closed where it has options, of a text where one is
    given.
    """
    if answer.lower() in YES_OR_NO and not options:
        options = YES_OR_NO
    words = {"question": question} | ({"report": report} if report else {})
    return Draft(
        task=TEXT if report else CLOSED if options else OPEN,
        key=key,
        answer=answer.lower() if options == YES_OR_NO else answer,
        words=words,
        options=options,
        may_omit=options == YES_OR_NO,
        pictures=() if report else pictures,
        balanced=balanced,
    )


def ask_difference(question: str, answer: str, *, key: str, pair: tuple[Picture, Picture]) -> Draft:
    """Returns what changed from the first picture to the second."""
    return Draft(task=DIFFERENCE, key=key, answer=answer, words={"question": question},
                 pictures=pair)  # fmt: skip

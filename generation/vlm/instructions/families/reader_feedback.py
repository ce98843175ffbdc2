"""Reader feedback: what people who read candidates said of them, as questions.

Not a task of CheXinstruct. It teaches what readers find artificial; an answer is one reader's.
"""

from generation.vlm.instructions.census import NO, YES
from generation.vlm.instructions.records import Draft, Picture, Region, box_text

ARTEFACT, PLACE, RATING, COMPARISON, REMARK, SKIPPED = (
    "artefact detection", "artefact grounding", "image rating", "image comparison",
    "reader remark", "reader skip",
)  # fmt: skip
UNREADABLE = "It cannot be assessed."
FIRST, SECOND, EQUAL = "the first", "the second", "neither"

TEMPLATES = {
    ARTEFACT: (
        "Is there {artefact} on this image?",
        "Would a reader flag this chest X-ray for {artefact}?",
        "Look for {artefact}: has this picture any?",
        "Does this image show {artefact}?",
        "Yes or no: {artefact} can be seen here.",
        "Check this synthetic radiograph for {artefact}.",
        "Can you see {artefact} on this chest film?",
        "Decide whether this picture has {artefact}.",
    ),
    PLACE: (
        "Where is {artefact} on this image?",
        "Give the box of {artefact} in this picture.",
        "Mark {artefact} on this synthetic radiograph.",
        "A reader flagged {artefact}. Where?",
        "Locate {artefact} on this chest film by its coordinates.",
        "Draw a box around {artefact}.",
        "At which place of this picture is {artefact}?",
        "Point {artefact} out on this image.",
    ),
    RATING: (
        "Rate this image. {question}",
        "{question} Give a score.",
        "How would a reader score this picture? {question}",
        "Look at this synthetic chest X-ray. {question}",
        "Answer by the scale: {question}",
        "Judge this radiograph. {question}",
        "{question} Choose what fits.",
        "Score this chest film. {question}",
    ),
    COMPARISON: (
        "Which of the two images is better? {question}",
        "Compare both pictures. {question}",
        "{question} Name the better image.",
        "Two synthetic chest X-rays are given. {question}",
        "Say which radiograph a reader would prefer. {question}",
        "Choose between the two images. {question}",
        "The first or the second? {question}",
        "Look at both chest films. {question}",
    ),
    SKIPPED: (
        "Why did a reader skip this image?",
        "A reader did not score this chest X-ray. For what reason?",
        "What kept a reader from reading this picture?",
        "This radiograph was skipped. Say why.",
        "What would a reader say who skips this chest film?",
        "Give the reason why nobody could score this image.",
        "Why is there no score of this synthetic radiograph?",
        "For what reason was this picture passed over?",
    ),
    REMARK: (
        "What did a reader remark on this image?",
        "Comment on this synthetic chest X-ray as a reader would.",
        "What is there to say of this picture?",
        "Write a reader's remark on this radiograph.",
        "Give your comment on this image in a sentence or two.",
        "Which remark does this chest film deserve?",
        "Say in your own words what strikes you here.",
        "Note what a radiologist would note on this picture.",
    ),
}  # fmt: skip


def artefact(name: str, *, is_there: bool, key: str, picture: Picture) -> Draft:
    """As many images without it are asked as with it."""
    return Draft(
        task=ARTEFACT,
        key=key,
        answer=YES if is_there else NO,
        words={"artefact": name.lower()},
        options=(YES, NO),
        may_omit=True,
        pictures=(picture,),
        balanced=f"artefact {name.lower()}",
    )


def place(
    name: str, boxes: tuple[tuple[int, int, int, int], ...], *, key: str, picture: Picture
) -> Draft:
    """Where a flag was marked, in whole percent of the picture."""
    return Draft(
        task=PLACE,
        key=key,
        answer=", ".join(box_text(box) for box in boxes),
        words={"artefact": name.lower()},
        pictures=(picture,),
        regions=tuple(Region(label=name.lower(), box=box, task=PLACE) for box in boxes),
    )


def rating(
    question: str, anchors: tuple[str, ...], value: int, *, key: str, picture: Picture
) -> Draft:
    """Returns a score in the words of its scale."""
    return Draft(
        task=RATING,
        key=key,
        answer=anchors[value],
        words={"question": question},
        options=anchors,
        pictures=(picture,),
    )


def comparison(question: str, answer: str, *, key: str, pair: tuple[Picture, Picture]) -> Draft:
    return Draft(
        task=COMPARISON,
        key=key,
        answer=answer,
        words={"question": question},
        options=(FIRST, SECOND, EQUAL),
        pictures=pair,
    )


def remark(comment: str, *, key: str, pictures: tuple[Picture, ...]) -> Draft:
    return Draft(task=REMARK, key=key, answer=comment, pictures=pictures)


def skipped(*, key: str, picture: Picture) -> Draft:
    """Returns an image that a reader could not assess; other reasons to skip are not about the
    image.
    """
    return Draft(task=SKIPPED, key=key, answer=UNREADABLE, pictures=(picture,))

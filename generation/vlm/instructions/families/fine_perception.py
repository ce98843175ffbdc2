"""Fine perception: where something is, and what is at a place."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from generation.vlm.instructions.census import Census
from generation.vlm.instructions.records import Draft, Exam, Region, box_text

DETECT, GROUND, DIAGNOSE = (
    "abnormality detection", "abnormality grounding", "grounded diagnosis",
)  # fmt: skip
PNEUMOTHORAX, FRACTURE, TUBE, OBJECT, ANATOMY = (
    "pneumothorax localisation", "rib fracture localisation", "chest tube localisation",
    "foreign object detection", "anatomy localisation",
)  # fmt: skip
PHRASE, CAPTION, EXTRACT = (
    "phrase grounding", "grounded captioning", "grounded phrase extraction",
)  # fmt: skip
NOTHING = "none"
ONE_THING = (PNEUMOTHORAX, FRACTURE, TUBE, OBJECT)
"""Tasks whose question names what is looked for."""
MAX_OPTIONS = 6

TEMPLATES = {
    DETECT: (
        "Find every abnormality on this chest X-ray and give its name and box.",
        "Where is this radiograph abnormal? Name and box each finding.",
        "Mark all that is abnormal in this picture, each with a box.",
        "Detect the abnormalities here; write name and place of each.",
        "Draw a box around each abnormality and say what it is.",
        "Give names and boxes of all lesions on this chest film.",
        "List what is abnormal on this image with its coordinates.",
        "Search the whole chest: which abnormalities are where?",
    ),
    GROUND: (
        "Where is the {finding} on this chest X-ray?",
        "Give the box of each {finding} in this picture.",
        "Mark {finding} on this radiograph.",
        "At which place can {finding} be seen?",
        "Locate {finding} on this chest film.",
        "Draw a box around what shows {finding}.",
        "Point out {finding} in this image by its coordinates.",
        "Show where this patient's {finding} is.",
    ),
    DIAGNOSE: (
        "What is abnormal within {box}?",
        "Which finding lies in the box {box}?",
        "Name what is seen at {box} on this chest X-ray.",
        "A reader marked {box}. What for?",
        "Look only at {box}: what does it show?",
        "The region {box} of this radiograph is abnormal. How?",
        "Give the finding at the place {box}.",
        "Tell what the marked area {box} contains.",
    ),
    PNEUMOTHORAX: (
        "Where is the pneumothorax on this chest X-ray, if there is one?",
        "Box any air in the pleural space of this picture.",
        "Locate pneumothorax on this radiograph, or say that there is none.",
        "Mark each part of a pneumothorax with a box.",
        "Is there a pneumothorax, and where?",
        "Give the coordinates of the pneumothorax, if any.",
        "Find where a lung has come away from the chest wall here.",
        "Show the extent of any pneumothorax as boxes.",
    ),
    FRACTURE: (
        "Where are ribs broken on this chest X-ray, if any are?",
        "Box each rib fracture of this picture.",
        "Locate rib fractures on this radiograph, or say that there are none.",
        "Go along the ribs: where is one fractured?",
        "Mark every broken rib with a box.",
        "Give the coordinates of rib fractures, if any.",
        "Are there fractured ribs, and where?",
        "Show the places of rib fractures on this chest film.",
    ),
    TUBE: (
        "Where is the chest tube on this X-ray, if there is one?",
        "Box each chest tube of this picture.",
        "Locate chest tubes on this radiograph, or say that there are none.",
        "Mark the course of any chest tube with a box.",
        "Has this patient a chest tube, and where does it lie?",
        "Give the coordinates of the chest tube, if any.",
        "Find the drain in this chest.",
        "Show where a chest tube runs on this chest film.",
    ),
    OBJECT: (
        "Where are foreign objects on this chest X-ray, if any are?",
        "Box everything in this picture that does not belong to the body.",
        "Locate foreign objects on this radiograph, or say that there are none.",
        "Which places of this film show buttons, clips or other objects?",
        "Mark each foreign object with a box.",
        "Give the coordinates of foreign objects, if any.",
        "Is something foreign on this image, and where?",
        "Show all that was worn or left on this chest.",
    ),
    ANATOMY: (
        "Where is the {finding} on this chest X-ray?",
        "Give the box of the {finding}.",
        "Mark the {finding} in this picture.",
        "Locate the {finding} on this radiograph.",
        "Within which box does the {finding} lie?",
        "Draw a box around the {finding}.",
        "Outline the {finding} of this patient by a box.",
        "Which coordinates enclose the {finding}?",
    ),
    PHRASE: (
        "A report says: “{phrase}” Where is that on this chest X-ray?",
        "Mark what this phrase tells of: {phrase}",
        "Find the place of “{phrase}” in this picture.",
        "Box the region that is described as: {phrase}",
        "Which part of the radiograph does “{phrase}” speak of?",
        "Give the coordinates of this: {phrase}",
        "Where would you point when you read “{phrase}”?",
        "Ground this sentence in the image: {phrase}",
    ),
    CAPTION: (
        "Describe what is seen within {box}.",
        "What would a report say of the region {box}?",
        "Write a phrase for the area {box} of this chest X-ray.",
        "Put the content of the box {box} into words.",
        "Report on {box} alone.",
        "Say in a few words what {box} shows.",
        "Caption the marked region {box}.",
        "How would you describe the place {box} on this radiograph?",
    ),
    EXTRACT: (
        "Which words of this report tell of {box}? {report}",
        "Report: {report} Quote the part that describes {box}.",
        "Take from the report what belongs to the region {box}. {report}",
        "The box {box} is marked. Find its sentence in: {report}",
        "Copy the phrase of this report that is about {box}: {report}",
        "Match {box} with a phrase of the report. {report}",
        "What does this report say of {box}? {report}",
        "Extract the words for the marked place {box} from: {report}",
    ),
}  # fmt: skip


def drafts(exam: Exam, *, census: Census, seed: str) -> Iterator[Draft]:
    if not exam.pictures:
        return
    regions: dict[str, list[Region]] = defaultdict(list)
    for region in exam.regions:
        regions[region.task].append(region)
    yield from _detection(exam, regions[GROUND])
    yield from _grounding(exam, regions[GROUND], task=GROUND)
    yield from _grounding(exam, regions[ANATOMY], task=ANATOMY)
    if census.varies(GROUND):
        yield from _diagnosis(exam, regions[GROUND], seed=seed)
    for task in ONE_THING:
        if regions[task] or task in exam.searched:
            yield _draft(exam, task=task, regions=regions[task])
    yield from _phrases(exam, regions[PHRASE])


def _draft(
    exam: Exam, *, task: str, regions: Sequence[Region], key: str = "", finding: str = ""
) -> Draft:
    """Returns a question whose answer is the boxes, by where they begin from the left."""
    ordered = sorted(regions, key=lambda region: region.box)
    return Draft(
        task=task,
        key=key,
        answer=" ".join(box_text(region.box) for region in ordered) or NOTHING,
        words={"finding": finding} if finding else {},
        pictures=exam.pictures[:1],
        regions=tuple(ordered),
    )


def _detection(exam: Exam, regions: Sequence[Region]) -> Iterator[Draft]:
    """Only where the source marked all that its readers looked for."""
    if DETECT not in exam.searched:
        return
    ordered = tuple(sorted(regions, key=lambda region: (region.label, region.box)))
    answer = "; ".join(f"{region.label} {box_text(region.box)}" for region in ordered)
    yield Draft(task=DETECT, answer=answer or NOTHING, pictures=exam.pictures[:1], regions=ordered)


def _grounding(exam: Exam, regions: Sequence[Region], *, task: str) -> Iterator[Draft]:
    for label in sorted({region.label for region in regions}):
        of_label = [region for region in regions if region.label == label]
        yield _draft(exam, task=task, regions=of_label, key=label, finding=label)


def _diagnosis(exam: Exam, regions: Sequence[Region], *, seed: str) -> Iterator[Draft]:
    """Yields what a box shows, among findings that are known to be absent where there are
    enough.
    """
    randomness = random.Random(f"{seed}:{exam.source}:{exam.key}:diagnosis")
    labels = {region.label for region in exam.regions}
    absent = [finding for finding in exam.absent if finding not in labels]
    for place, region in enumerate(regions):
        wrong = randomness.sample(absent, min(len(absent), MAX_OPTIONS - 1))
        yield Draft(
            task=DIAGNOSE,
            key=str(place),
            answer=region.label,
            words={"box": box_text(region.box)},
            options=(region.label, *wrong) if wrong else (),
            may_omit=True,
            pictures=exam.pictures[:1],
            regions=(region,),
        )


def _phrases(exam: Exam, regions: Sequence[Region]) -> Iterator[Draft]:
    """Yields each phrase with all its boxes, in both directions, and found in the report."""
    report = " ".join(exam.sections.values())
    phrases = list(dict.fromkeys(region.phrase for region in regions))
    for key, phrase in enumerate(phrases):
        of_phrase = [region for region in regions if region.phrase == phrase]
        marked = replace(
            _draft(exam, task=PHRASE, regions=of_phrase, key=str(key)), words={"phrase": phrase}
        )
        boxes = {"box": marked.answer}
        yield marked
        yield replace(marked, task=CAPTION, answer=phrase, words=boxes)
        if phrase.lower() in report.lower():
            yield replace(marked, task=EXTRACT, answer=phrase, words=boxes | {"report": report})

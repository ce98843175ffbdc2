"""Text generation: findings and impressions, whole or of a part, and how they changed."""

from collections.abc import Iterator

from generation.vlm.instructions.records import Draft, Exam
from generation.vlm.reports.sentences import tells_of_change, without_change

SUMMARISE, DESCRIBE = "findings summarisation", "image captioning"
SECTIONS = ("findings", "impression")
INDICATION, CAPTION = "indication", "caption"


def task_of(section: str, *, is_local: bool = False, is_progression: bool = False) -> str:
    """``local progression findings generation`` and the like."""
    words = ["local"] * is_local + ["progression"] * is_progression
    return " ".join((*words, section, "generation"))


def with_indication(section: str) -> str:
    return f"{section} generation with indication"


TEMPLATES = {
    task_of("findings"): (
        "Write the findings of this chest X-ray.",
        "Describe this radiograph as a report's findings would.",
        "Dictate the findings section for this examination.",
        "What do you see? Answer with the findings of a report.",
        "Report the findings of this chest film.",
        "Give a full description of this chest X-ray.",
        "Draft what a radiologist would write under findings.",
        "Put everything that this picture shows into a findings section.",
    ),
    task_of("impression"): (
        "Write the impression of this chest X-ray.",
        "Conclude this examination in a few words.",
        "Dictate the impression for this radiograph.",
        "What is the bottom line of this chest film?",
        "Sum up this picture as a report's impression would.",
        "Give the radiologist's conclusion.",
        "Draft the impression section of the report.",
        "State what matters most on this chest X-ray.",
    ),
    with_indication("findings"): (
        "Indication: {indication} Write the findings.",
        "The patient was sent for this reason: {indication} What are the findings?",
        "Describe this chest X-ray, knowing the indication: {indication}",
        "Given “{indication}”, dictate the findings section.",
        "Reason for examination: {indication} Report the findings.",
        "Clinicians ask: {indication} Answer with the findings of a report.",
        "Draft the findings for a patient with this history: {indication}",
        "Keep the indication in mind ({indication}) and describe the radiograph.",
    ),
    with_indication("impression"): (
        "Indication: {indication} Write the impression.",
        "The patient was sent for this reason: {indication} What is your impression?",
        "Conclude this examination, knowing the indication: {indication}",
        "Given “{indication}”, dictate the impression.",
        "Reason for examination: {indication} Sum up the result.",
        "Clinicians ask: {indication} Answer in one conclusion.",
        "Draft the impression for a patient with this history: {indication}",
        "Keep the indication in mind ({indication}) and state what matters most.",
    ),
    task_of("findings", is_local=True): (
        "Write the findings of this part alone: {region}.",
        "Describe only the {region} on this chest X-ray.",
        "What do you find when you look at the {region}?",
        "Report on the {region}.",
        "Dictate the findings under the heading “{region}”.",
        "{region}: what does the radiograph show?",
        "Leave the rest and describe the {region}.",
        "Fill in this part of the findings: {region}.",
    ),
    task_of("impression", is_local=True): (
        "Write the impression of this part alone: {region}.",
        "Conclude on the {region} only.",
        "What is your impression of the {region}?",
        "Sum up the {region} of this chest X-ray.",
        "Dictate the impression under the heading “{region}”.",
        "{region}: what is the conclusion?",
        "Leave the rest and judge the {region}.",
        "Fill in this part of the impression: {region}.",
    ),
    task_of("findings", is_progression=True): (
        "The first picture is the earlier one. Write the findings of the second.",
        "Compare both examinations and describe the later one.",
        "Given the prior image first, dictate the findings with what has changed.",
        "How has this chest changed? Answer with the findings of the second picture.",
        "Report the second radiograph in the light of the first.",
        "Earlier and later examination are given: write the findings of today.",
        "Describe the follow-up with reference to the earlier film.",
        "Findings of the second image, please, compared with the first.",
    ),
    task_of("impression", is_progression=True): (
        "The first picture is the earlier one. Write the impression of the second.",
        "Compare both examinations and conclude.",
        "Given the prior image first, dictate the impression with what has changed.",
        "Better, worse or the same? Answer with the impression of the second picture.",
        "Conclude on the second radiograph in the light of the first.",
        "Earlier and later examination are given: sum up the course.",
        "State the result of the follow-up with reference to the earlier film.",
        "Impression of the second image, please, compared with the first.",
    ),
    task_of("findings", is_local=True, is_progression=True): (
        "The first picture is the earlier one. Write the findings of the {region} on the second.",
        "How has the {region} changed from the first to the second picture?",
        "Compare the {region} on both examinations.",
        "Given the prior image first, describe the {region} today.",
        "Follow the {region} from the earlier film to the later one.",
        "Report on the {region} of the second radiograph in the light of the first.",
        "{region}: findings of the follow-up, compared with the earlier image.",
        "Looking at the {region} alone, what is new in the second picture?",
    ),
    task_of("impression", is_local=True, is_progression=True): (
        "The first picture is the earlier one. Conclude on the {region} of the second.",
        "Is the {region} better, worse or the same in the second picture?",
        "Sum up how the {region} changed between both examinations.",
        "Given the prior image first, write the impression of the {region}.",
        "What came of the {region} since the earlier film?",
        "Conclude on the course of the {region}.",
        "{region}: impression of the follow-up, compared with the earlier image.",
        "Judge the {region} alone: what does the comparison say?",
    ),
    SUMMARISE: (
        "Write the impression that follows from these findings: {findings}",
        "Findings: {findings} Sum them up.",
        "Conclude from this description: {findings}",
        "A report says: {findings} What is its impression?",
        "Shorten these findings to what matters: {findings}",
        "Give the conclusion of a report with these findings: {findings}",
        "{findings} Put that into one impression.",
        "Draft the impression for: {findings}",
    ),
    DESCRIBE: (
        "Write a caption for this picture.",
        "Describe this image in a sentence, as a figure's legend would.",
        "What would the legend of this figure say?",
        "Caption this chest X-ray.",
        "Put this image into a sentence.",
        "Tell shortly what this picture shows.",
        "Write what stands below this figure in its article.",
        "Give the picture a legend.",
    ),
}  # fmt: skip


def drafts(exam: Exam) -> Iterator[Draft]:
    """Sections from the first pictures; a summary needs none.

    What only an earlier examination explains is asked with the earlier picture alone, so that
    nobody learns to make up a comparison.
    """
    if all(exam.sections.get(section) for section in SECTIONS):
        findings, impression = (exam.sections[section] for section in SECTIONS)
        yield Draft(task=SUMMARISE, answer=impression, words={"findings": findings})
    if not exam.pictures:
        return
    if caption := exam.sections.get(CAPTION):
        yield Draft(task=DESCRIBE, answer=caption, pictures=exam.pictures[:1])
    for section in SECTIONS:
        if text := exam.sections.get(section):
            yield from _alone(exam, section=section, text=text)
            yield from _progression(exam, section=section, text=text)
        for region, text in exam.organs.get(section, {}).items():
            yield from _alone(exam, section=section, text=text, region=region)
            yield from _progression(exam, section=section, text=text, region=region)


def _alone(exam: Exam, *, section: str, text: str, region: str = "") -> Iterator[Draft]:
    answer = without_change(text)
    if not answer:
        return
    pictures, words = exam.pictures[:2], {"region": region} if region else {}
    yield Draft(task=task_of(section, is_local=bool(region)), key=region, answer=answer,
                words=words, pictures=pictures)  # fmt: skip
    if (indication := exam.sections.get(INDICATION)) and not region:
        yield Draft(task=with_indication(section), answer=answer, pictures=pictures,
                    words={"indication": indication})  # fmt: skip


def _progression(exam: Exam, *, section: str, text: str, region: str = "") -> Iterator[Draft]:
    if exam.previous is None or not tells_of_change(text):
        return
    task = task_of(section, is_local=bool(region), is_progression=True)
    pair = (exam.previous.pictures[0], exam.pictures[0])
    words = {"region": region} if region else {}
    yield Draft(task=task, key=region, answer=text, words=words, pictures=pair)

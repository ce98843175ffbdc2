"""What people said of candidates as a source of instructions, marked as such.

Flags, their regions, scores, choices and comments of readings that may teach: by people, the last
revision of the first reading, nothing retracted, no gate's, no gold case, and of no study that
still hides from coordinators where its images are from.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from feedback_app.finetuning.services.image_means import teaching_readings
from feedback_app.readings.models import Reading, Shape, Verdict
from feedback_app.studies.models import CaseImage, CaseRole, CriterionKind, FlagKind, Study
from feedback_app.vlms.sources import link_pictures, picture_of
from generation.vlm.instructions.families import reader_feedback as asked
from generation.vlm.instructions.records import Draft, Exam, Picture, whole_box
from generation.vlm.instructions.sources.written import WrittenFacts, write

NAME = "readings"
AT_ONCE = 500


def write_readings(folder: Path) -> list[list[Any]]:
    """Write the source, and say whose readings of which studies it rests on."""
    facts = WrittenFacts(
        title="Readings of this installation: what people said of synthetic images",
        licence="of the readers; machine-made images, people's answers",
    )
    rows = readings()
    write(folder, facts, _exams(rows))
    link_pictures(folder)
    rests_on = rows.order_by().values_list("reader", "slot__study").distinct()
    return sorted([reader, str(study)] for reader, study in rests_on)


def readings() -> Any:
    hidden = [study.pk for study in Study.objects.all() if not study.tells_source]
    rows = teaching_readings(simulated=False).exclude(slot__study__in=hidden)
    return rows.exclude(slot__case__role=CaseRole.GOLD)


def _exams(rows: Any) -> Iterator[Exam]:
    """One a reading, in the order of their keys; candidates of one prompt are one patient."""
    kinds: dict[Any, list[FlagKind]] = defaultdict(list)
    for kind in FlagKind.objects.order_by("study", "position"):
        kinds[kind.study_id].append(kind)
    related = rows.select_related("slot__case").prefetch_related(
        "scores__criterion", "choices__criterion", "flags__kind", "flags__regions"
    )
    for reading in related.order_by("pk").iterator(chunk_size=AT_ONCE):
        places = list(
            CaseImage.objects.filter(case=reading.slot.case, image__candidate__isnull=False)
            .select_related("image__candidate__recipe")
            .order_by("position")
        )
        if places:
            yield _exam(reading, places, kinds[reading.slot.study_id])


def _exam(reading: Reading, places: Sequence[CaseImage], kinds: Sequence[FlagKind]) -> Exam:
    pictures = {place.image_id: picture_of(NAME, place.image.blob_id) for place in places}
    return Exam(
        source=NAME,
        key=str(reading.pk),
        patient=f"{NAME}:{places[0].image.candidate.recipe.prompt}",
        pictures=tuple(pictures.values()),
        is_secondary=True,
        asked=(
            *_flags(reading, places, kinds, pictures),
            *_scores(reading, pictures),
            *_choices(reading, pictures),
            *_remarks(reading, pictures),
        ),
    )


Pictures = Mapping[Any, Picture]


def _flags(
    reading: Reading, places: Sequence[CaseImage], kinds: Sequence[FlagKind], pictures: Pictures
) -> Iterator[Draft]:
    flags = {(flag.image_id, flag.kind_id): flag for flag in reading.flags.all()}
    for number, place in enumerate(places):
        picture = pictures[place.image_id]
        for kind in kinds:
            flag, key = flags.get((place.image_id, kind.pk)), f"{number} {kind.slug}"
            yield asked.artefact(kind.name, is_there=flag is not None, key=key, picture=picture)
            if flag and (regions := list(flag.regions.all())):
                boxes = tuple(_box(region, place) for region in regions)
                yield asked.place(kind.name, boxes, key=key, picture=picture)


def _box(region: Any, place: CaseImage) -> tuple[int, int, int, int]:
    corners = Shape(region.shape).corners(region.points)
    across, down = ([corner[axis] for corner in corners] for axis in (0, 1))
    width, height = place.image.width, place.image.height
    return whole_box(
        min(across) / width,
        min(down) / height,
        (max(across) - min(across)) / width,
        (max(down) - min(down)) / height,
    )


def _scores(reading: Reading, pictures: Pictures) -> Iterator[Draft]:
    """How sure somebody is of the source is no score; scales say what their steps mean."""
    numbers = {image: number for number, image in enumerate(pictures)}
    for score in reading.scores.all():
        criterion = score.criterion
        anchors = tuple(dict.fromkeys(criterion.anchors))
        is_told = len(anchors) == len(criterion.anchors) > 1 and score.image_id in pictures
        if criterion.kind == CriterionKind.ORDINAL and is_told:
            key = f"{numbers[score.image_id]} {criterion.slug}"
            yield asked.rating(criterion.question, anchors, score.value, key=key,
                               picture=pictures[score.image_id])  # fmt: skip


def _choices(reading: Reading, pictures: Pictures) -> Iterator[Draft]:
    if len(pictures) != 2:
        return
    first, second = pictures.values()
    for choice in reading.choices.all():
        answer = asked.EQUAL
        if choice.verdict == Verdict.BETTER:
            answer = asked.FIRST if choice.image_id == next(iter(pictures)) else asked.SECOND
        yield asked.comparison(
            choice.criterion.question, answer, key=choice.criterion.slug, pair=(first, second)
        )


def _remarks(reading: Reading, pictures: Pictures) -> Iterator[Draft]:
    if comment := " ".join(reading.comment.split()):
        yield asked.remark(comment, key="", pictures=tuple(pictures.values()))

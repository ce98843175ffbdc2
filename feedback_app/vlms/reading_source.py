"""What people said of candidates as a source of instructions, marked as such.

Flags, their regions, scores, choices and comments of readings that may teach: by people, the last
revision of the first reading, nothing retracted, no gate's, no gold case, and of no study that
still hides from coordinators where its images are from. A flag that a person confirmed in a comment
counts as one. What a comment names and nobody has decided on is not asked: without the flag it
would teach that the image has no such artefact. Of skipped cases there is only that an image
could not be assessed.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.db.models import Prefetch

from feedback_app.finetuning.services.image_means import teaching_readings
from feedback_app.readings.comment_models import CommentFlag
from feedback_app.readings.models import Flag, Reading, Shape, SkipReason, Verdict
from feedback_app.studies.models import CaseImage, CaseRole, CriterionKind, FlagKind, Study
from feedback_app.vlms.sources import link_pictures, picture_of
from generation.vlm.instructions.families import reader_feedback as asked
from generation.vlm.instructions.records import Draft, Exam, Picture, whole_box
from generation.vlm.instructions.sources.written import WrittenFacts, write
from generation.vlm.reports.comments import artefacts_in

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
    rows = teaching_readings(simulated=False, with_skipped=True).exclude(slot__study__in=hidden)
    rows = rows.filter(skip_reason__in=[SkipReason.NONE, SkipReason.NOT_ASSESSABLE])
    return rows.exclude(slot__case__role=CaseRole.GOLD)


def _exams(rows: Any) -> Iterator[Exam]:
    """Yields one a reading, in the order of their keys; candidates of one prompt are one
    patient.
    """
    kinds: dict[Any, list[FlagKind]] = defaultdict(list)
    for kind in FlagKind.objects.order_by("study", "position"):
        kinds[kind.study_id].append(kind)
    related = rows.select_related("slot__case").prefetch_related(
        "scores__criterion",
        "choices__criterion",
        "flags__kind",
        "flags__regions",
        Prefetch("comment_flags", CommentFlag.objects.standing()),
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
    answered = (
        *_flags(reading, places, kinds, pictures),
        *_scores(reading, pictures),
        *_choices(reading, pictures),
    )
    return Exam(
        source=NAME,
        key=str(reading.pk),
        patient=f"{NAME}:{places[0].image.candidate.recipe.prompt}",
        pictures=tuple(pictures.values()),
        is_secondary=True,
        asked=(
            *(_skipped(pictures) if reading.is_skipped else answered),
            *_remarks(reading, pictures),
        ),
    )


Pictures = Mapping[Any, Picture]


def _flags(
    reading: Reading, places: Sequence[CaseImage], kinds: Sequence[FlagKind], pictures: Pictures
) -> Iterator[Draft]:
    flags = {(flag.image_id, flag.kind_id): flag for flag in reading.flags.all()}
    decided = {(one.image_id, one.kind_id): one for one in reading.comment_flags.all()}
    named = artefacts_in(reading.comment, [kind.name for kind in kinds])
    open_to_doubt = {one.name for one in named if one.presence != "absent"}
    for number, place in enumerate(places):
        picture = pictures[place.image_id]
        for kind in kinds:
            at = place.image_id, kind.pk
            flag, said, key = flags.get(at), decided.get(at), f"{number} {kind.slug}"
            is_there = flag is not None or (said is not None and said.is_confirmed)
            if not is_there and said is None and kind.name in open_to_doubt:
                continue
            key = key if flag or not is_there else f"{key}, of a comment"
            yield asked.artefact(kind.name, is_there=is_there, key=key, picture=picture)
            if marked := _marked(flag, said):
                boxes = tuple(_box(corners, place) for corners in marked)
                yield asked.place(kind.name, boxes, key=key, picture=picture)


def _marked(flag: Flag | None, said: CommentFlag | None) -> list[list[tuple[float, float]]]:
    """Returns the corners of each region that the reader drew, or that was marked for them."""
    if flag is not None:
        return [Shape(one.shape).corners(one.points) for one in flag.regions.all()]
    return [said.corners] if said is not None and said.corners else []


def _box(corners: Sequence[tuple[float, float]], place: CaseImage) -> tuple[int, int, int, int]:
    across, down = ([corner[axis] for corner in corners] for axis in (0, 1))
    width, height = place.image.width, place.image.height
    return whole_box(
        min(across) / width,
        min(down) / height,
        (max(across) - min(across)) / width,
        (max(down) - min(down)) / height,
    )


def _scores(reading: Reading, pictures: Pictures) -> Iterator[Draft]:
    """Yields how sure somebody is of the source is no score; scales say what their steps mean."""
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


def _skipped(pictures: Pictures) -> Iterator[Draft]:
    for number, picture in enumerate(pictures.values()):
        yield asked.skipped(key=f"{number} skipped", picture=picture)


def _remarks(reading: Reading, pictures: Pictures) -> Iterator[Draft]:
    if comment := " ".join(reading.comment.split()):
        yield asked.remark(comment, key="", pictures=tuple(pictures.values()))

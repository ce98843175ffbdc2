"""What a final reading is made beside: all that was said of the case, with names hidden.

Only whoever has a final slot of the case gets it, and only when all who adjudicate the case
have read it blind: until then the slot is not there for them (``SlotQuerySet.ready``).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from feedback_app.readings.framing import Size, framing_of
from feedback_app.readings.models import Flag, Reading, SkipReason
from feedback_app.studies.models import Criterion, Phase, Slot

LETTERS = "ABCDEFGH"
NOTE = (
    "You have read these cases blind. Now you see what the readers said of each, their names "
    "hidden. Give your final reading, and its reason in the comment."
)


@dataclass(frozen=True)
class Shown:
    """The images of a slot by their places, and the size that they are served in."""

    places: dict[UUID, int]
    images: dict[UUID, Any]
    size: Size
    is_first_left: bool = True
    """Whether the case's first report is on the left."""

    @property
    def letters(self) -> dict[UUID, str]:
        return {image: LETTERS[place] for image, place in self.places.items()}


def describe_others(slot: Slot, size: Size) -> list[dict[str, Any]]:
    """Returns each reader's answers in words and regions; nothing of any slot but a final one.

    First the readers of the study, in an order that is another one in every case, then those
    who adjudicate too, and the reader's own blind reading.
    """
    if slot.phase != Phase.FINAL:
        return []
    images = slot.images_in_order()
    texts = slot.texts_in_order()
    shown = Shown(
        places={image.pk: place for place, image in enumerate(images)},
        images={image.pk: image for image in images},
        size=size,
        is_first_left=not texts or texts[0].position == 0,
    )
    return [
        _describe(readings, name=name, number=number, shown=shown)
        for number, (name, readings) in enumerate(_named(slot))
    ]


def _named(slot: Slot) -> list[tuple[str, list[Reading]]]:
    """Readings by hidden name; those of several phases are of one reader."""
    original = slot.case.copied_from.original_id
    found = Reading.objects.current().standing()
    parts = (
        "scores__criterion",
        "choices__criterion",
        "flags__kind",
        "flags__regions",
        "report",
        "preferences__criterion",
        "preferences__left",
    )
    of_study = found.filter(slot__case=original, slot__repetition=0).prefetch_related(*parts)
    by_reader: dict[int, list[Reading]] = defaultdict(list)
    for reading in of_study.order_by("pk"):  # random keys: an order that tells nobody
        by_reader[reading.reader_id].append(reading)
    named = [(f"Reader {_letter(at)}", rows) for at, rows in enumerate(by_reader.values())]
    blind = found.filter(slot__case=slot.case_id, slot__phase=Phase.BLIND)
    blind = blind.prefetch_related(*parts).order_by("pk")
    others = [row for row in blind if row.reader_id != slot.reader_id]
    named += [(f"Adjudicator {_letter(at)}, blind", [row]) for at, row in enumerate(others)]
    return named + [("You, blind", [row]) for row in blind if row.reader_id == slot.reader_id]


def _letter(number: int) -> str:
    """Returns a, B ... Z, then AA and so on."""
    first, second = divmod(number, 26)
    return (chr(64 + first) if first else "") + chr(65 + second)


def _describe(
    readings: Sequence[Reading], *, name: str, number: int, shown: Shown
) -> dict[str, Any]:
    return {
        "name": name,
        "number": number,
        "is_simulated": readings[0].is_simulated,
        "answers": [line for reading in readings for line in _answers(reading, shown)],
        "flags": [
            _describe_flag(flag, shown) for reading in readings for flag in reading.flags.all()
        ],
        "comment": "\n".join(reading.comment for reading in readings if reading.comment),
        "skip": "; ".join(
            str(SkipReason(reading.skip_reason).label) for reading in readings if reading.is_skipped
        ),
    }


def _answers(reading: Reading, shown: Shown) -> list[dict[str, str]]:
    """Returns a line a criterion, as in "Realism: 3 · 5", in the order in which the images
    stand.
    """
    values: dict[Criterion, dict[int, str]] = defaultdict(dict)
    for score in reading.scores.all():
        said = score.criterion.in_words(score.value)
        values[score.criterion][shown.places[score.image_id]] = said
    lines = [
        {"criterion": criterion.name, "said": " · ".join(of[place] for place in sorted(of))}
        for criterion, of in _in_order(values)
    ]
    lines += [
        {"criterion": choice.criterion.name, "said": choice.in_words(shown.letters)}
        for choice in sorted(reading.choices.all(), key=lambda one: one.criterion.position)
    ]
    lines += _reported(reading, shown)
    if reading.none_acceptable:
        lines.append({"criterion": "None acceptable", "said": "yes"})
    return lines


def _reported(reading: Reading, shown: Shown) -> list[dict[str, str]]:
    """Returns what was said of reports; A is the left one of whoever reads this, B the right
    one.
    """
    report = getattr(reading, "report", None)
    lines = [{"criterion": report.edit_in_words, "said": report.text}] if report else []
    preferences = sorted(reading.preferences.all(), key=lambda one: one.criterion.position)
    return lines + [
        {"criterion": one.criterion.name, "said": one.in_words(is_first_a=shown.is_first_left)}
        for one in preferences
    ]


def _in_order(
    values: dict[Criterion, dict[int, str]],
) -> Iterable[tuple[Criterion, dict[int, str]]]:
    return sorted(values.items(), key=lambda pair: pair[0].position)


def _describe_flag(flag: Flag, shown: Shown) -> dict[str, Any]:
    framing = framing_of(shown.images[flag.image_id], shown.size)
    return {
        "place": shown.places[flag.image_id],
        "image": shown.letters[flag.image_id] if len(shown.places) > 1 else "",
        "name": flag.kind.name,
        "grade": flag.grade,
        "regions": [
            {
                "shape": region.shape,
                "points": [
                    list(point) for point in framing.to_served([(x, y) for x, y in region.points])
                ],
            }
            for region in flag.regions.all()
        ],
    }

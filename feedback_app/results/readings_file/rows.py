"""Rows of a study's tables, streamed; blind while the study is."""

from collections import Counter
from collections.abc import Collection, Iterator
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models.functions import Coalesce

from feedback_app.accounts.models import User
from feedback_app.accounts.pseudonyms import pseudonym_of
from feedback_app.readings.retraction_models import Retraction, retracted_in
from feedback_app.results.readings_file.columns import Cell, Table, annotated
from feedback_app.studies.models import CaseImage, Study

CHUNK = 2_000
COMPUTED = {"who", "place", "source", "is_retracted", "anchor"}
"""Cells that are worked out here, from the paths below."""
ALWAYS = ("who", "of_case", "of_study", "is_last")


class StudyRows:
    """It gives the rows of one study's tables.

    ``names`` gives readers by name, else by pseudonym.
    """

    def __init__(self, study: Study, *, names: bool = False) -> None:
        self.study = study
        self.names = names
        self.tells_source = study.tells_source
        self.studies = [study.pk, *study.adjudications.values_list("panel", flat=True)]
        """The study, and the panels of its adjudications."""
        active = Retraction.objects.active()
        self._is_retracted = study.pk in set(active.studies())
        self._retracted_readers = retracted_in(study)
        self._readers: dict[int, str] = {}

    def of(self, table: Table) -> Iterator[list[Cell]]:
        """Yields a list of cells a row, in the order of the table's columns."""
        image = _path_of_image(table)
        paths = [column.path for column in table.all_columns if column.path not in COMPUTED]
        further = [*ALWAYS, *([image] if image else [])]
        if table.name == "scores":
            further += ["anchors"]
        wanted = list(dict.fromkeys([*paths, *further]))
        rows = annotated(table).filter(of_study__in=self.studies).values(*wanted)
        for row in rows.iterator(chunk_size=CHUNK):
            yield [
                self._cell(column.path, column.show, row, image=image)
                if self.tells_source or not column.tells_source
                else None
                for column in table.all_columns
            ]

    def _cell(self, path: str, show: Any, row: dict[str, Any], *, image: str) -> Cell:
        match path:
            case "who":
                return self.reader(row["who"])
            case "is_retracted":
                return self.is_retracted(row["who"])
            case "anchor":
                anchors = row["anchors"]
                return anchors[row["value"]] if row["value"] < len(anchors) else None
            case "place":
                return self.place(row["of_case"], row[image])
            case "source":
                shown = row[image]
                return None if shown is None else "real" if shown in self._real else "synthetic"
        value = row[path]
        return None if value is None else show(value)

    def place(self, case: UUID, image: UUID | None) -> str | None:
        """Returns where an image is, CASE-PLACE from 1; None where there is no image."""
        place = None if image is None else self._places.get((case, image))
        return None if place is None else "-".join(map(str, place))

    def is_retracted(self, reader: int) -> bool:
        """Says whether this reader's readings of the study do not count any more."""
        return self._is_retracted or reader in self._retracted_readers

    def reader(self, key: int) -> str:
        """Returns a reader's name or pseudonym; the pseudonym is the same in all files.

        Readers of one name have their logins beside it: statistics go by this column.
        """
        if key not in self._readers:
            self._readers[key] = self._names[key] if self.names else pseudonym_of(key)
        return self._readers[key]

    @cached_property
    def _names(self) -> dict[int, str]:
        people = User.objects.filter(readings__slot__study__in=self.studies).distinct()
        shared = Counter(person.display_name for person in people)
        return {
            person.pk: person.display_name
            if shared[person.display_name] == 1
            else f"{person.display_name} ({person.username})"
            for person in people
        }

    @cached_property
    def _places(self) -> dict[tuple[UUID, UUID], tuple[int, int]]:
        """By case and image: the numbers of the case in the study and of the image in it."""
        number = Coalesce("case__copied_from__original__position", "case__position")
        rows = CaseImage.objects.filter(case__study__in=self.studies).values_list(
            "case", "image", number, "position"
        )
        return {(case, image): (number + 1, place + 1) for case, image, number, place in rows}

    @cached_property
    def _real(self) -> set[UUID]:
        real = CaseImage.objects.filter(case__study=self.study, image__candidate=None)
        return set(real.values_list("image", flat=True))


def _path_of_image(table: Table) -> str:
    return next(
        (column.path for column in table.columns if column.path.endswith("image_id")),
        "",
    )


def header_of(table: Table) -> list[str]:
    return [column.name for column in table.all_columns]


def dictionary(tables: Collection[Table]) -> Iterator[list[str]]:
    """Yields table, column and meaning, for every column."""
    for table in tables:
        for column in table.all_columns:
            yield [table.name, column.name, column.meaning]

"""What the columns of each table hold, where they are read, and what they mean."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Case as SqlCase
from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from feedback_app.readings.comment_models import CommentFlag
from feedback_app.readings.models import Choice, Flag, Reading, Region, Score
from feedback_app.readings.report_models import ReportPreference, WrittenReport
from feedback_app.studies.models import CaseText, Phase

Cell = str | int | float | bool | None


@dataclass(frozen=True)
class Column:
    """``path`` is what the row's query selects; ``show`` makes the cell of it."""

    name: str
    meaning: str
    path: str
    show: Callable[[Any], Cell] = lambda value: value
    tells_source: bool = False
    """Left empty while the study is blind."""


@dataclass(frozen=True)
class Table:
    name: str
    meaning: str
    rows: Callable[[], QuerySet[Any]]
    to_reading: str
    """The path from a row to its reading, with its underscores; empty for readings."""
    columns: tuple[Column, ...]
    order: tuple[str, ...] = ()

    @property
    def all_columns(self) -> tuple[Column, ...]:
        return (*_of_reading(self.to_reading), *self.columns)

    @property
    def has_image(self) -> bool:
        return any(column.name == "image" for column in self.columns)


def _seconds(milliseconds: int) -> float | None:
    """0 stands for a time that was not measured."""
    return milliseconds / 1_000 or None


def role_of(phase: str) -> str:
    """Names a reading's part in its study; a final one has its reason for a comment."""
    return {Phase.BLIND: "adjudication_blind", Phase.FINAL: "adjudication"}.get(
        Phase(phase), "reading"
    )


def _of_reading(prefix: str) -> tuple[Column, ...]:
    def at(path: str) -> str:
        return f"{prefix}{path}"

    return (
        Column("reading_id", "the reading, one submission for one slot", at("pk"), str),
        Column("study", "the study's name, of an adjudication that of its round",
               at("slot__study__name")),
        Column("role", "reading, or adjudication_blind and adjudication: the final reading",
               "role", role_of),
        Column("mode", "the study's mode", at("slot__study__mode")),
        Column("reader", "a pseudonym of the reader, or the name where that was asked for", "who"),
        Column("is_simulated", "whether a simulated reader read", at("is_simulated")),
        Column("case", "the case's number in its study, from 1", "case_number"),
        Column("case_role", "ordinary, anchor, gold ...", "case_role"),
        Column("prompt", "the prompt of the case", at("slot__case__prompt")),
        Column("phase", "the phase of the slot", at("slot__phase")),
        Column("repetition", "0 for the first reading of a case, 1 for a repeat",
               at("slot__repetition")),
        Column("position", "the slot's place in the reader's order, from 0", at("slot__position")),
        Column("revision", "1 for what was submitted first", at("revision")),
        Column("said_in", "the phase in which it was said: the slot's, or aware for what was said "
               "of an unaware case after the unmasking", "said_in"),
        Column("is_last_revision",
               "whether it is the last that was said in the slot's phase: these count", "is_last"),
        Column("is_retracted", "whether the reading is retracted now", "is_retracted"),
        Column("submitted_at", "when it was stored, ISO 8601", at("created_at"),
               lambda moment: moment.isoformat()),
        Column("seconds", "active time, empty where it was not measured", at("active_ms"),
               _seconds),
    )  # fmt: skip


def _of_image(prefix: str = "") -> tuple[Column, ...]:
    recipe = f"{prefix}image__candidate__recipe__"
    return (
        Column("image", "the image of the case, CASE-PLACE, from 1", "place"),
        Column("image_id", "the image's id in this installation", f"{prefix}image_id", str,
               tells_source=True),
        Column("source", "synthetic or real", "source", tells_source=True),
        Column("model_version", "the model version that made a synthetic image",
               f"{recipe}model_version__name", tells_source=True),
        Column("image_prompt", "the prompt that a synthetic image was made from",
               f"{recipe}prompt", tells_source=True),
    )  # fmt: skip


def _of_better_image(column: Column) -> Column:
    name = column.name if column.name.startswith("image") else f"image_{column.name}"
    return replace(column, name=f"better_{name}", meaning=f"of the better image: {column.meaning}")


CRITERION = (
    Column("criterion", "the criterion's short name", "criterion__slug"),
    Column("criterion_name", "the criterion as readers see it", "criterion__name"),
)

TABLES = {
    table.name: table
    for table in (
        Table(
            "scores",
            "one row a score: an image on a criterion, in one reading",
            Score.objects.all,
            "reading__",
            (
                *_of_image(),
                *CRITERION,
                Column("kind", "ordinal or confidence", "criterion__kind"),
                Column("value", "the score, from 0", "value"),
                Column("anchor", "what the score says in words", "anchor"),
            ),
            ("reading__created_at", "reading", "pk"),
        ),
        Table(
            "choices",
            "one row a criterion of a comparison of two images",
            Choice.objects.all,
            "reading__",
            (
                *CRITERION,
                Column("verdict", "better, equal or both_bad", "verdict"),
                *map(_of_better_image, _of_image()),
                Column("strength", "1 slightly, 2 clearly, 3 much", "strength"),
            ),
            ("reading__created_at", "reading", "pk"),
        ),
        Table(
            "flags",
            "one row a flag on an image",
            Flag.objects.all,
            "reading__",
            (
                *_of_image(),
                Column("flag", "the flag's short name", "kind__slug"),
                Column("flag_name", "the flag as readers see it", "kind__name"),
                Column("grade", "minor or major", "grade"),
            ),
            ("reading__created_at", "reading", "pk"),
        ),
        Table(
            "comment_flags",
            "one row a flag that a comment names, as a coordinator decided on it; beside the "
            "reader's own flags, and none of them",
            CommentFlag.objects.standing,
            "reading__",
            (
                *_of_image(),
                Column("flag", "the flag's short name", "kind__slug"),
                Column("flag_name", "the flag as readers see it", "kind__name"),
                Column("is_confirmed", "whether it is meant; what is not teaches nothing",
                       "is_confirmed"),
                Column("grade", "minor or major, as the coordinator says; empty where it is not "
                       "meant", "grade"),
                Column("box", "left, top, right and bottom in pixels of the stored image, where "
                       "the coordinator marked it", "box",
                       lambda box: " ".join(f"{side:g}" for side in box)),
                Column("words", "the comment", "words"),
                Column("decided_at", "when it was decided, ISO 8601", "decided_at",
                       lambda moment: moment.isoformat()),
            ),
            ("decided_at", "pk"),
        ),
        Table(
            "regions",
            "one row a box or polygon that belongs to a flag",
            Region.objects.all,
            "flag__reading__",
            (
                *_of_image("flag__"),
                Column("flag", "the flag's short name", "flag__kind__slug"),
                Column("grade", "minor or major", "flag__grade"),
                Column("shape", "box or polygon", "shape"),
                Column("points", "x,y of its corners in pixels of the stored image, from its top "
                       "left corner, separated by spaces", "points",
                       lambda points: " ".join(f"{x:g},{y:g}" for x, y in points)),
            ),
            ("flag__reading__created_at", "flag__reading", "pk"),
        ),
        Table(
            "reports",
            "one row a report that a reader would sign",
            WrittenReport.objects.all,
            "reading__",
            (
                Column("draft", "the draft that they were shown; empty where there was none, a "
                       "block for each word where it was erased with its cohort", "draft__text"),
                Column("draft_source", "who or what wrote the draft", "draft__source",
                       tells_source=True),
                Column("text", "the report as it would be signed, or blocks", "text"),
                Column("is_accepted", "whether the draft was accepted as it is", "is_accepted"),
                Column("reasons", "why the draft was changed: false_finding, missed_finding, "
                       "wrong_location, wrong_severity, style, other; separated by spaces",
                       "reasons", " ".join),
                Column("changed_characters", "edits to the draft in characters: insertions, "
                       "deletions and replacements (Levenshtein)", "changed_characters"),
                Column("changed_words", "the same in words", "changed_words"),
            ),
            ("reading__created_at", "reading"),
        ),
        Table(
            "preferences",
            "one row a criterion of a comparison of two reports",
            ReportPreference.objects.all,
            "reading__",
            (
                *CRITERION,
                Column("points", "from -10, all for the left report, over 0 to 10, all for the "
                       "right one", "points"),
                Column("left_report", "which report of the case was on the left, 1 or 2",
                       "left__position", lambda position: position + 1),
                Column("left_source", "who or what wrote the left report", "left__source",
                       tells_source=True),
                Column("right_source", "who or what wrote the right report", "right_source",
                       tells_source=True),
            ),
            ("reading__created_at", "reading", "pk"),
        ),
        Table(
            "comments",
            "one row a reading with a comment",
            lambda: Reading.objects.exclude(comment=""),
            "",
            (
                Column("none_acceptable", "whether no image was acceptable", "none_acceptable"),
                Column("comment", "what the reader wrote; a final reading's reason", "comment"),
            ),
            ("created_at", "pk"),
        ),
        Table(
            "skips",
            "one row a case that was skipped",
            lambda: Reading.objects.exclude(skip_reason=""),
            "",
            (
                Column("skip_reason", "why", "skip_reason"),
                Column("comment", "what the reader wrote", "comment"),
            ),
            ("created_at", "pk"),
        ),
    )
}  # fmt: skip


def annotated(table: Table) -> QuerySet[Any]:
    """Returns the table's rows with what their columns compute in the database."""
    reading = table.to_reading
    later = Reading.objects.in_its_phase().filter(
        slot=OuterRef(f"{reading}slot"), revision__gt=OuterRef(f"{reading}revision")
    )
    is_late = Q(**{f"{reading}after_unmasking": True})
    rows = table.rows().annotate(
        is_last=~is_late & ~Exists(later),
        said_in=SqlCase(
            When(is_late, then=Value(Phase.AWARE.value)),
            default=F(f"{reading}slot__phase"),
            output_field=CharField(),
        ),
        case_number=Coalesce(
            F(f"{reading}slot__case__copied_from__original__position"),
            F(f"{reading}slot__case__position"),
        )
        + 1,
        role=F(f"{reading}slot__phase"),
        case_role=Coalesce(
            F(f"{reading}slot__case__copied_from__original__role"), F(f"{reading}slot__case__role")
        ),
        who=F(f"{reading}reader"),
        of_case=F(f"{reading}slot__case"),
        of_study=F(f"{reading}slot__study"),
    )
    if table.name == "scores":
        rows = rows.annotate(anchors=Coalesce(F("criterion__anchors"), Value([])))
    if table.name == "preferences":
        other = CaseText.objects.filter(case=OuterRef("left__case")).exclude(pk=OuterRef("left"))
        rows = rows.annotate(right_source=Subquery(other.values("source")[:1]))
    return rows.order_by(*table.order)

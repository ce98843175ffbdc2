"""The benchmark's table with models side by side: a row a task and source."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from feedback_app.vlms.models import BenchmarkResult, BenchmarkScore


@dataclass(frozen=True, kw_only=True)
class Line:
    """One task and source: a score a model in the order of the table's, None where it has none."""

    task: str
    source: str
    kind: str
    questions: int
    majority: float | None
    scores: tuple[BenchmarkScore | None, ...]


def side_by_side(results: Sequence[BenchmarkResult]) -> list[Line]:
    """All models have answered the same frozen questions, so figures of a row are comparable."""
    by_key = [
        {(score.task, score.source): score for score in result.scores.all()} for result in results
    ]
    keys = sorted({key for of_result in by_key for key in of_result})
    lines = []
    for key in keys:
        scores = tuple(of_result.get(key) for of_result in by_key)
        first = next(score for score in scores if score)
        lines.append(
            Line(
                task=first.task,
                source=first.source,
                kind=first.get_kind_display(),
                questions=first.questions,
                majority=first.majority,
                scores=scores,
            )
        )
    return lines


def in_lines(result: BenchmarkResult) -> Iterator[str]:
    """Yields a line a figure, for a terminal."""
    for score in result.scores.all():
        beside = [
            f"{name} {value:.3f}"
            for name, value in (
                ("blind", score.blind),
                ("probe", score.probe),
                ("majority", score.majority),
                ("AUC", score.auroc),
            )
            if value is not None
        ]
        within = f" ({score.low:.2f} to {score.high:.2f})" if score.low is not None else ""
        figure = f"{score.get_kind_display()} {score.value:.3f}{within}"
        yield ", ".join((f"{score.task}, {score.source}, n {score.questions}: {figure}", *beside))

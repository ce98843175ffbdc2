"""The list of runs, which comes up to date while it is looked at."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any, ClassVar

from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django_filters import ChoiceFilter
from django_tables2 import Column, Table

from feedback_app.accounts.access import coordinators_only
from feedback_app.lists.actions import Action, each
from feedback_app.lists.filters import ListFilter, WordsFilter
from feedback_app.lists.pages import ListPage
from feedback_app.lists.tables import NUMBER, CellColumn, TimeColumn
from feedback_app.runs import services
from feedback_app.runs.kinds import QUEUES, all_kinds, kind_of
from feedback_app.runs.models import Run, State, Worker
from feedback_app.runs.words import words_of
from generation.errors import RemediableError


def states_with_counts() -> list[tuple[str, str]]:
    counts = dict(Run.objects.order_by().values_list("state").annotate(Count("pk")))
    return [(state.value, f"{state.label} ({counts.get(state.value, 0):,})") for state in State]


def kinds_in_words() -> list[tuple[str, str]]:
    return [(kind.name, words_of(kind.name)) for kind in all_kinds()]


class RunFilter(ListFilter):
    words = WordsFilter("title", "error", label="Title or error")
    state = ChoiceFilter(choices=states_with_counts, empty_label="Any", label="State")
    kind = ChoiceFilter(choices=kinds_in_words, empty_label="Any", label="Kind")


class RunTable(Table):
    title = CellColumn("runs/cells/title.html", verbose_name="Run")
    kind = Column()
    state = CellColumn("runs/cells/state.html")
    progress = CellColumn("runs/cells/progress.html", orderable=False)
    time = CellColumn("runs/cells/time.html", orderable=False, attrs=NUMBER)
    created_at = TimeColumn(verbose_name="Asked for")

    def render_kind(self, value: str) -> str:
        return words_of(value)


class RunList(ListPage):
    listing = section = "runs"
    title = "Runs"
    intro = "Every long job: what is being done now, what waits, and what went wrong."
    of_one, of_many = "run", "runs"
    template_name = "runs/list.html"
    filterset_class = RunFilter
    table_class: ClassVar[type[Table] | None] = RunTable
    rows_a_page = 40

    def rows(self) -> "QuerySet[Any]":
        return Run.objects.select_related("created_by").with_takers()

    def is_live(self, page: Any) -> bool:
        return any(not row.record.is_finished for row in page)

    def actions(self) -> Sequence[Action]:
        return (
            Action(
                slug="cancel",
                label="Cancel",
                act=each(_cancel, done="{} cancelled, or told to stop."),
                confirm="Cancel the ticked runs?",
            ),
            Action(slug="retry", label="Retry", act=each(_retry, done="{} queued again.")),
        )


def _cancel(request: HttpRequest, run: Run) -> None:
    _require_allowed(request, run)
    services.cancel(run)


def _retry(request: HttpRequest, run: Run) -> None:
    _require_allowed(request, run)
    if not services.retry(run):
        raise RemediableError(
            f"“{run.title}” is {run.get_state_display().lower()}.",
            remedy=f"Retry “{run.failed_with.title}”, which it comes after."
            if run.failed_with
            else "Only a failed or cancelled run can be retried.",
        )


def _require_allowed(request: HttpRequest, run: Run) -> None:
    if kind_of(run.kind).is_for_admins and not request.user.is_admin:  # type: ignore[union-attr]
        raise RemediableError(f"“{run.title}” is a run of admins.", remedy="Ask an admin.")


list_runs = coordinators_only(RunList.as_view())


class WorkerFilter(ListFilter):
    words = WordsFilter("name", label="Host or process")
    queue = ChoiceFilter(
        choices=[(queue, queue) for queue in QUEUES],
        method="of_queue",
        empty_label="Any",
        label="Queue",
    )

    def of_queue(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(queues__contains=[value])


class WorkerTable(Table):
    name = CellColumn("runs/cells/worker.html", verbose_name="Worker")
    takes = CellColumn("runs/cells/takes.html", orderable=False)
    does = CellColumn("runs/cells/does.html", orderable=False)
    gpus = CellColumn("runs/cells/gpus.html", verbose_name="GPU memory", orderable=False)
    started_at = TimeColumn(verbose_name="Since")
    seen_at = CellColumn("runs/cells/seen.html", verbose_name="Last sign", attrs=NUMBER)


def waiting_without_taker(queues: set[str]) -> list[tuple[str, int]]:
    """Returns what a worker would have to take and how many runs wait for that, by need.

    ``queues`` are those that have a worker at all.
    """
    rows = Run.objects.claimable().without_taker().filter(queue__in=queues)
    counts = Counter(run.needs for run in rows.order_by().only("kind", "queue", "gpu_gb"))
    return sorted(counts.items())


class WorkerList(ListPage):
    """Workers tell of themselves; those without a sign for a day are forgotten."""

    listing, section = "workers", "runs"
    title = "Workers"
    intro = "The processes that do runs: what each does now, and what waits for one of them."
    of_one, of_many = "worker", "workers"
    template_name = "runs/workers.html"
    filterset_class = WorkerFilter
    table_class: ClassVar[type[Table] | None] = WorkerTable

    def rows(self) -> "QuerySet[Any]":
        return Worker.objects.with_runs()

    def is_live(self, page: Any) -> bool:
        return True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        waiting = dict(
            Run.objects.claimable().order_by().values_list("queue").annotate(Count("pk"))
        )
        queues = [(queue, waiting.get(queue, 0)) for queue in QUEUES]
        alive = set(chain.from_iterable(Worker.objects.alive().values_list("queues", flat=True)))
        return super().get_context_data(**kwargs) | {
            "queues": queues,
            "without_worker": [queue for queue in QUEUES if queue not in alive],
            "without_taker": waiting_without_taker(alive),
        }


list_workers = coordinators_only(WorkerList.as_view())

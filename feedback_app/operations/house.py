"""What the database says of runs and workers, as Prometheus takes it."""

from collections.abc import Iterator

from django.db.models import Count, ExpressionWrapper, F, FloatField, Min, Q, Sum
from django.db.models.functions import Extract
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from feedback_app.runs.kinds import QUEUES, all_kinds
from feedback_app.runs.models import Run, State, Worker


class HouseCollector(Collector):
    """It asks the database when it is asked: every web process tells the same."""

    def collect(self) -> Iterator[Metric]:
        yield _unfinished()
        yield _oldest()
        yield _finished()
        workers = list(Worker.objects.alive())
        yield _counted(workers)
        yield from _gpus(workers)


def _unfinished() -> Metric:
    """Returns how long the queues are; kinds without a run are 0, so that an alert sees them."""
    family = GaugeMetricFamily(
        "reading_room_runs", "Runs that are not over.", labels=("kind", "queue", "state")
    )
    rows = Run.objects.unfinished().order_by().values_list("kind", "state")
    found = {(kind, state): count for kind, state, count in rows.annotate(count=Count("pk"))}
    for kind in all_kinds():
        for state in (State.QUEUED, State.RUNNING):
            count = found.get((kind.name, state.value), 0)
            family.add_metric((kind.name, kind.queue, state.value), count)
    return family


def _oldest() -> Metric:
    family = GaugeMetricFamily(
        "reading_room_oldest_wait_seconds",
        "For how long the run that waits longest could have been taken up.",
        labels=("queue",),
    )
    rows = Run.objects.claimable().order_by().values_list("queue")
    oldest = dict(rows.annotate(oldest=Min("created_at")))
    for queue in QUEUES:
        since = oldest.get(queue)
        family.add_metric((queue,), (timezone.now() - since).total_seconds() if since else 0)
    return family


def _finished() -> Metric:
    family = SummaryMetricFamily(
        "reading_room_run_seconds",
        "Seconds of the last attempt of runs that are over.",
        labels=("kind", "state"),
    )
    took = ExpressionWrapper(
        Extract(F("finished_at") - F("started_at"), "epoch"), output_field=FloatField()
    )
    over = Run.objects.exclude(state__in=(State.QUEUED, State.RUNNING)).order_by()
    rows = over.values_list("kind", "state").annotate(
        count=Count("pk"), took=Sum(took, filter=Q(started_at__isnull=False), default=0.0)
    )
    for kind, state, count, seconds in rows:
        family.add_metric((kind, state), count_value=count, sum_value=seconds)
    return family


def _counted(workers: list[Worker]) -> Metric:
    family = GaugeMetricFamily(
        "reading_room_workers", "Workers that gave a sign of life lately.", labels=("queue",)
    )
    for queue in QUEUES:
        family.add_metric((queue,), sum(queue in worker.queues for worker in workers))
    return family


def _gpus(workers: list[Worker]) -> Iterator[Metric]:
    """Memory of each GPU once, whichever workers of its host told of it."""
    labels = ("host", "gpu", "name")
    used = GaugeMetricFamily("reading_room_gpu_memory_used_bytes", "Of a GPU.", labels=labels)
    total = GaugeMetricFamily("reading_room_gpu_memory_bytes", "Of a GPU.", labels=labels)
    told = {(worker.host, gpu["index"]): gpu for worker in workers for gpu in worker.gpus}
    for (host, index), gpu in sorted(told.items()):
        used.add_metric((host, str(index), gpu["name"]), gpu["used_bytes"])
        total.add_metric((host, str(index), gpu["name"]), gpu["total_bytes"])
    yield used
    yield total

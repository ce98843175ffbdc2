"""The run queue, on a real PostgreSQL."""

import os
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psutil
import pytest
from django.db import connection
from django.utils import timezone

from feedback_app import celery
from feedback_app.runs import services, workers
from feedback_app.runs.models import LogLine, Run, State
from feedback_app.runs.progress import Cancelled, Progress, Superseded
from feedback_app.runs.tasks import execute, sweep
from generation.errors import RemediableError

pytestmark = pytest.mark.django_db

Handle = Callable[[Any], Any]
DEAD = f"{workers.this_worker().partition(':')[0]}:{os.getpid()}@12.00"
"""This process's id, but of a process that started long before."""


def claimed(run: Run, *, worker: str | None = None) -> Run:
    mine = services.claim(run.pk)
    assert mine is not None
    if worker is not None:
        Run.objects.filter(pk=run.pk).update(worker=worker)
    mine.refresh_from_db()
    return mine


def log_of(run: Run) -> list[str]:
    return [line.text for line in LogLine.objects.filter(run=run)]


def test_a_run_that_is_done_has_its_result(queued: Run, handle: Handle) -> None:
    handle(lambda progress: {"files": 3})
    run = services.execute(queued.pk)
    assert run is not None
    assert (run.state, run.result, run.attempt) == (State.SUCCEEDED, {"files": 3}, 1)
    assert run.finished_at is not None


def test_a_message_that_comes_twice_does_the_run_once(queued: Run, handle: Handle) -> None:
    calls = []
    handle(lambda progress: calls.append(1) or {})
    execute(run_id=str(queued.pk))
    execute(run_id=str(queued.pk))
    assert len(calls) == 1


def test_one_message_empties_the_queue_the_most_urgent_first(queued: Run, handle: Handle) -> None:
    order: list[str] = []
    handle(lambda progress: order.append(progress.run.title) or {})
    Run.objects.create(kind="import_cohort", queue="cpu", title="urgent", priority=5)
    Run.objects.create(kind="generate", queue="gpu", title="elsewhere", priority=9)
    execute(run_id=str(queued.pk))
    assert order == ["urgent", queued.title]


@pytest.mark.django_db(transaction=True)
def test_of_two_claims_at_a_time_one_wins() -> None:
    run = Run.objects.create(kind="import_cohort", queue="cpu", title="wanted by many")
    barrier = threading.Barrier(4)
    winners: list[Run] = []

    def race() -> None:
        barrier.wait()
        if won := services.claim(run.pk):
            winners.append(won)
        connection.close()

    threads = [threading.Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(winners) == 1
    assert winners[0].attempt == 1


def test_the_write_of_a_stale_attempt_changes_nothing(queued: Run) -> None:
    stale = claimed(queued)
    services.release(stale, why="taken for dead")
    successor = claimed(queued)
    Progress(successor).update(7, total=10)
    with pytest.raises(Superseded):
        Progress(stale).update(3, total=10, note="spoilt")
    assert not services.release(stale, why="spoilt")
    queued.refresh_from_db()
    assert (queued.done, queued.note, queued.attempt, queued.state) == (7, "", 2, State.RUNNING)


def test_a_stale_attempt_that_ends_does_not_end_its_successor(queued: Run, handle: Handle) -> None:
    def taken_over(progress: Progress) -> dict[str, object]:
        services.release(progress.run, why="taken for dead")
        claimed(queued)
        return {"by": "the stale one"}

    handle(taken_over)
    run = services.execute(queued.pk)
    assert run is not None
    assert (run.state, run.result, run.attempt) == (State.RUNNING, {}, 2)


def test_a_queued_run_is_cancelled_at_once(queued: Run, handle: Handle) -> None:
    services.cancel(queued)
    queued.refresh_from_db()
    assert queued.state == State.CANCELLED
    assert services.claim(queued.pk) is None


def test_a_running_run_is_cancelled_at_its_next_report(queued: Run, handle: Handle) -> None:
    def reporting(progress: Progress) -> dict[str, object]:
        services.cancel(progress.run)
        progress.update(1, total=2)
        raise AssertionError("the report must not return")

    handle(reporting)
    run = services.execute(queued.pk)
    assert run is not None
    assert run.state == State.CANCELLED


def test_a_cancelled_run_whose_worker_died_is_not_queued_again(queued: Run) -> None:
    services.cancel(claimed(queued, worker=DEAD))
    services.sweep()
    queued.refresh_from_db()
    assert queued.state == State.CANCELLED


def test_a_finished_run_cannot_be_cancelled(queued: Run, handle: Handle) -> None:
    handle(lambda progress: {})
    services.execute(queued.pk)
    services.cancel(queued)
    queued.refresh_from_db()
    assert (queued.state, queued.cancel_requested) == (State.SUCCEEDED, False)


def test_an_error_with_a_remedy_is_kept_with_it_and_a_retry_forgets_it(
    queued: Run, handle: Handle
) -> None:
    def failing(progress: Progress) -> dict[str, object]:
        raise RemediableError("The disk is full\x00.", remedy="Free some room.")

    handle(failing)
    run = services.execute(queued.pk)
    assert run is not None
    assert (run.state, run.remedy) == (State.FAILED, "Free some room.")
    assert run.error.startswith("The disk is full")
    assert services.retry(run)
    assert not services.retry(run)
    handle(lambda progress: {})
    again = services.execute(queued.pk)
    assert again is not None
    assert (again.state, again.error, again.attempt) == (State.SUCCEEDED, "", 2)


def test_an_unexpected_error_fails_the_run_and_names_it(queued: Run, handle: Handle) -> None:
    nothing: dict[str, Any] = {}
    handle(lambda progress: nothing["nothing"])
    run = services.execute(queued.pk)
    assert run is not None
    assert (run.state, run.error) == (State.FAILED, "KeyError: 'nothing'")
    assert "log" in run.remedy


def test_figures_that_json_cannot_hold_are_told_as_words(queued: Run, handle: Handle) -> None:
    def diverging(progress: Progress) -> dict[str, object]:
        progress.update(1, figures={"loss": float("nan")})
        return {"best": float("inf")}

    handle(diverging)
    run = services.execute(queued.pk)
    assert run is not None
    assert (run.figures, run.result) == ({"loss": "nan"}, {"best": "inf"})


def test_the_rate_counts_this_attempt_alone(queued: Run) -> None:
    Run.objects.filter(pk=queued.pk).update(done=900)
    progress = Progress(claimed(queued))
    progress.update(900, total=1_000)
    progress.update(910)
    started = timezone.now() - timedelta(seconds=10)
    Run.objects.filter(pk=queued.pk).update(started_at=started)
    queued.refresh_from_db()
    assert queued.rate_per_s == pytest.approx(1.0, rel=0.1)
    assert queued.remaining_s == pytest.approx(90, rel=0.1)


def test_a_sweep_takes_up_a_silent_run_and_leaves_a_beating_one(queued: Run) -> None:
    beating = Run.objects.create(kind="import_cohort", queue="cpu", title="beating")
    claimed(beating)
    claimed(queued, worker="elsewhere:17@1.00")
    long_ago = timezone.now() - timedelta(hours=1)
    Run.objects.filter(pk=queued.pk).update(heartbeat_at=long_ago)
    assert services.sweep() == 1
    assert services.sweep() == 1
    queued.refresh_from_db()
    beating.refresh_from_db()
    assert (queued.state, queued.crashes, beating.state) == (State.QUEUED, 1, State.RUNNING)
    assert log_of(queued) == ["The worker fell silent; queued again"]


def test_a_sweep_takes_up_the_run_of_a_dead_process_of_this_host_at_once(queued: Run) -> None:
    claimed(queued, worker=DEAD)
    sweep()
    sweep()
    queued.refresh_from_db()
    assert (queued.state, queued.crashes) == (State.QUEUED, 1)


def test_a_run_that_killed_five_workers_fails_and_says_why(queued: Run) -> None:
    for _ in range(5):
        claimed(queued, worker=DEAD)
        services.sweep()
    queued.refresh_from_db()
    assert (queued.state, queued.crashes) == (State.FAILED, 5)
    assert "seems to kill the worker" in queued.error
    assert "memory" in queued.remedy
    assert services.retry(queued)
    queued.refresh_from_db()
    assert queued.crashes == 0


def test_a_stopped_worker_puts_its_run_back_and_takes_no_other(queued: Run, handle: Handle) -> None:
    other = Run.objects.create(kind="import_cohort", queue="cpu", title="other")

    def told_to_stop(progress: Progress) -> dict[str, object]:
        workers.stopping.set()
        progress.update(1, total=2)
        raise AssertionError("the report must not return")

    handle(told_to_stop)
    execute(run_id=str(queued.pk))
    for run in (queued, other):
        run.refresh_from_db()
        assert (run.state, run.crashes) == (State.QUEUED, 0)
    assert log_of(queued) == ["The worker was stopped; queued again"]


def test_a_worker_that_is_torn_out_of_its_run_puts_it_back(queued: Run, handle: Handle) -> None:
    def torn(progress: Progress) -> dict[str, object]:
        raise SystemExit

    handle(torn)
    with pytest.raises(SystemExit):
        services.execute(queued.pk)
    queued.refresh_from_db()
    assert queued.state == State.QUEUED


def test_a_process_is_told_from_another_one_with_its_id() -> None:
    assert not workers.has_died(workers.this_worker())
    assert workers.has_died(DEAD)
    assert not workers.has_died("another-host:1@1.00")
    free = next(pid for pid in range(2**22 - 1, 0, -1) if not psutil.pid_exists(pid))
    assert workers.has_died(DEAD.replace(f":{os.getpid()}@", f":{free}@"))


@pytest.mark.django_db(transaction=True)
def test_the_heart_beats_while_the_handler_is_silent(
    handle: Handle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedback_app.runs.progress.HEARTBEAT_EVERY_S", 0.05)
    run = Run.objects.create(kind="import_cohort", queue="cpu", title="one long call")
    before = claimed(run)
    with Progress(before):
        for _ in range(100):
            threading.Event().wait(0.05)
            run.refresh_from_db()
            if run.heartbeat_at != before.heartbeat_at:
                break
    assert run.heartbeat_at is not None and before.heartbeat_at is not None
    assert run.heartbeat_at > before.heartbeat_at


def test_cancelled_is_raised_by_the_check_alone_too(queued: Run) -> None:
    progress = Progress(claimed(queued))
    progress.check()
    services.cancel(queued)
    with pytest.raises(Cancelled):
        progress.check()


@pytest.mark.django_db(transaction=True)
def test_a_run_is_queued_though_redis_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise ConnectionError("Redis is down")

    monkeypatch.setattr(celery.app, "send_task", refuse)
    run = services.start("import_cohort", title="x" * 300, spec={})
    assert Run.objects.get(pk=run.pk).state == State.QUEUED

"""A batch outlives its GPU worker and an emptied Redis."""

import signal
from collections.abc import Callable

import pytest

from feedback_app.images.candidates.batches import progress_of
from feedback_app.images.models import Batch, Candidate, Image
from feedback_app.runs.models import LogLine, Run, State
from generation.specs import MOST_AT_ONCE
from tests.workers import Worker, own_redis, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ENVIRONMENT = {"OMP_NUM_THREADS": "1"}  # several threads of two busy processes slow each other down
SLOW_STEPS = 15


def test_a_batch_completes_though_its_worker_is_killed_and_redis_emptied(
    start_worker: Callable[..., Worker], ask: Callable[..., Batch]
) -> None:
    worker = start_worker("gpu", **ENVIRONMENT)
    batch = ask(per_prompt=MOST_AT_ONCE, steps=SLOW_STEPS)
    wait_until(lambda: progress_of(batch).made >= 4, what="the first images are made")
    worker.kill()
    before = dict(Candidate.objects.values_list("recipe_id", "image_id"))
    assert 4 <= len(before) < 2 * MOST_AT_ONCE
    assert Run.objects.filter(state=State.RUNNING).count() == 1
    own_redis().flushdb()

    start_worker("gpu", **ENVIRONMENT)
    wait_until(lambda: progress_of(batch).is_complete, what="the batch is complete")
    wait_until(lambda: not progress_of(batch).is_live, what="its runs are finished")
    after = dict(Candidate.objects.values_list("recipe_id", "image_id"))
    assert len(after) == Image.objects.count() == 2 * MOST_AT_ONCE
    assert before.items() <= after.items()
    assert set(Run.objects.values_list("state", flat=True)) == {State.SUCCEEDED}
    assert LogLine.objects.filter(text__contains="died; queued again").count() == 1


def test_a_worker_that_is_asked_to_stop_gives_its_run_back_at_once(
    start_worker: Callable[..., Worker], ask: Callable[..., Batch]
) -> None:
    worker = start_worker("gpu", **ENVIRONMENT)
    batch = ask(per_prompt=MOST_AT_ONCE, steps=SLOW_STEPS)
    wait_until(lambda: progress_of(batch).made >= 4, what="the first images are made")
    wait_until(lambda: stopped_amid_a_run(worker), what="a run is stopped in the middle")
    worker.send(signal.SIGTERM)
    worker.send(signal.SIGCONT)
    worker.wait()
    assert not progress_of(batch).is_complete
    waiting = Run.objects.exclude(state=State.SUCCEEDED)
    assert set(waiting.values_list("state", "crashes")) == {(State.QUEUED, 0)}
    assert LogLine.objects.filter(text="The worker was stopped; queued again").count() == 1


def stopped_amid_a_run(worker: Worker) -> bool:
    """Hold the worker, unless it is between two runs."""
    worker.send(signal.SIGSTOP)
    if Run.objects.filter(state=State.RUNNING).exists():
        return True
    worker.send(signal.SIGCONT)
    return False

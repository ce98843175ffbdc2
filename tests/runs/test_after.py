"""Runs that come after others: who may be claimed, what fails with what, and what retry frees."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from feedback_app.runs import kinds, services
from feedback_app.runs.console import execute_here
from feedback_app.runs.models import Run, State
from feedback_app.runs.tasks import execute
from generation.errors import RemediableError

pytestmark = pytest.mark.django_db

Handle = Callable[[Any], Any]


def started(title: str, *after: Run, **options: Any) -> Run:
    return services.start("import_cohort", title=title, spec={}, after=after, **options)


def fail(_: object) -> dict[str, object]:
    raise RemediableError("The disk is broken.", remedy="Change it.")


def state_of(run: Run) -> str:
    return str(Run.objects.values_list("state", flat=True).get(pk=run.pk))


def test_a_run_is_claimed_only_once_all_before_it_have_succeeded(handle: Handle) -> None:
    handle(lambda progress: {})
    first, second = started("first"), started("second")
    last = started("last", first, second, priority=9)
    assert services.claim(last.pk) is None
    services.execute(first.pk)
    assert services.execute(last.pk) is None
    assert "waiting for 1 run" in last.waits_for
    services.execute(second.pk)
    assert services.execute(last.pk) is not None
    assert state_of(last) == State.SUCCEEDED


def test_a_worker_does_a_chain_in_its_order_whatever_is_urgent(handle: Handle) -> None:
    order: list[str] = []
    handle(lambda progress: order.append(progress.run.title) or {})
    first = started("first")
    second = started("second", first, priority=5)
    started("third", second, priority=9)
    execute(run_id=str(first.pk))
    assert order == ["first", "second", "third"]


def test_a_failure_fails_what_comes_after_by_name_and_its_retry_frees_all(handle: Handle) -> None:
    handle(fail)
    first = started("The training")
    second = started("The gate", first)
    third = started("The promotion", second)
    services.execute(first.pk)
    for run in (second, third):
        run.refresh_from_db()
        assert (run.state, run.failed_with, run.attempt) == (State.FAILED, first, 0)
        assert "“The training”, which failed" in run.error
        assert "Retry that run" in run.remedy
        assert not run.can_be_retried
        assert not services.retry(run)
    handle(lambda progress: {})
    assert services.retry(first)
    assert [state_of(run) for run in (first, second, third)] == [State.QUEUED] * 3
    execute(run_id=str(first.pk))
    assert [state_of(run) for run in (first, second, third)] == [State.SUCCEEDED] * 3


@pytest.mark.parametrize("is_running", [False, True])
def test_what_comes_after_a_cancelled_run_says_that_it_was_cancelled(
    handle: Handle, *, is_running: bool
) -> None:
    def cancelled(progress: Any) -> dict[str, object]:
        services.cancel(progress.run)
        progress.check()
        return {}

    handle(cancelled)
    first = started("first")
    second = started("second", first)
    services.execute(first.pk) if is_running else services.cancel(first)
    second.refresh_from_db()
    assert (second.state, second.failed_with) == (State.FAILED, first)
    assert "which was cancelled" in second.error


def test_of_two_failures_both_have_to_be_retried(handle: Handle) -> None:
    handle(fail)
    first, second = started("first"), started("second")
    last = started("last", first, second)
    services.execute(first.pk)
    services.execute(second.pk)
    last.refresh_from_db()
    assert last.failed_with == first
    services.retry(first)
    last.refresh_from_db()
    assert (last.state, last.failed_with) == (State.FAILED, second)
    services.retry(second)
    assert state_of(last) == State.QUEUED


def test_a_cancelled_successor_stays_cancelled(handle: Handle) -> None:
    handle(fail)
    first = started("first")
    second = started("second", first)
    services.cancel(second)
    services.execute(first.pk)
    services.retry(first)
    assert state_of(second) == State.CANCELLED


def test_a_run_after_one_that_has_failed_already_fails_at_once(handle: Handle) -> None:
    handle(fail)
    first = started("first")
    services.execute(first.pk)
    assert state_of(started("late", first)) == State.FAILED


def test_new_runs_stand_in_for_failed_ones(handle: Handle) -> None:
    handle(fail)
    old = started("old")
    last = started("last", old)
    services.execute(old.pk)
    handle(lambda progress: {})
    new = started("new")
    services.stand_in([new], instead_of=[old])
    assert state_of(last) == State.QUEUED
    assert services.claim(last.pk) is None
    services.execute(new.pk)
    assert services.execute(last.pk) is not None


def test_a_command_does_first_what_comes_first(handle: Handle) -> None:
    order: list[str] = []
    handle(lambda progress: order.append(progress.run.title) or {})
    first = started("first")
    last = started("last", started("second", first))
    done = execute_here(last, write=print)
    assert (done.state, order) == (State.SUCCEEDED, ["first", "second", "last"])


@pytest.mark.django_db(transaction=True)
def test_a_failure_while_its_successor_is_being_written_is_not_missed(handle: Handle) -> None:
    """The run fails before the transaction ends that puts another one after it."""
    handle(fail)
    first = started("first")
    failing = threading.Thread(target=lambda: (services.execute(first.pk), connection.close()))
    with transaction.atomic():
        last = started("last", first)
        failing.start()
        time.sleep(0.3)
    failing.join()
    assert state_of(last) == State.FAILED


def test_a_run_that_may_go_on_is_woken(
    handle: Handle,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    woken: list[str] = []
    monkeypatch.setattr(services, "wake", lambda run: woken.append(run.title))
    handle(lambda progress: {})
    with django_capture_on_commit_callbacks(execute=True):
        first = started("first")
        started("second", first)
    woken.clear()
    with django_capture_on_commit_callbacks(execute=True):
        services.execute(first.pk)
    assert woken == ["second"]


def test_a_runs_page_leads_to_what_is_before_and_after_it(
    handle: Handle, cora_client: Client
) -> None:
    handle(fail)
    first = started("The training")
    last = started("The gate", first)

    def page(run: Run) -> str:
        return cora_client.get(reverse("runs:run", args=[run.pk])).content.decode()

    assert "Waiting for 1 run that it comes after" in page(last)
    assert "The gate" in page(first)
    services.execute(first.pk)
    shown = page(last)
    assert "Open The training" in shown
    assert 'id="retry"' not in shown
    refused = cora_client.post(reverse("runs:retry", args=[last.pk]), follow=True)
    assert "Retry “The training”" in refused.content.decode()


def test_every_kind_has_its_handler_where_it_says() -> None:
    assert len(kinds.all_kinds()) >= 19
    for kind in kinds.all_kinds():
        assert callable(kinds.handler_of(kind.name))


def test_a_kind_that_no_app_declares_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'dig'"):
        services.start("dig", title="Dig", spec={})
    with pytest.raises(ValueError, match="twice"):
        kinds.declare(kinds.Kind(name="gate", queue="cpu", tasks="elsewhere"))

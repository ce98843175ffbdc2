"""Trouble that passes puts a run back; errors of the work fail it."""

import errno
import http.client
import signal
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import timedelta
from email.message import Message
from typing import Any
from urllib.error import HTTPError, URLError

import kombu.exceptions
import pytest
import redis.exceptions
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from torch import OutOfMemoryError

from feedback_app.images.blobs.services import naming_a_full_disk
from feedback_app.runs import services, workers
from feedback_app.runs.console import execute_here
from feedback_app.runs.models import LogLine, Run, State
from feedback_app.runs.tasks import execute
from feedback_app.runs.trouble import MAX_SETBACKS, ChildKilledError, pause_s, trouble_of
from generation.errors import RemediableError, is_of_surroundings
from generation.training.devices import naming_full_memory

pytestmark = pytest.mark.django_db

Handle = Callable[[Any], Any]


@pytest.fixture(autouse=True)
def a_worker_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("spoiled", "stopping"):
        monkeypatch.setattr(workers, name, threading.Event())


def raising(error: BaseException) -> Handle:
    def handler(_: object) -> dict[str, object]:
        raise error

    return handler


def full_disk(_: object) -> dict[str, object]:
    with naming_a_full_disk("the archive"):
        raise OSError(errno.ENOSPC, "No space left on device")


def error_in_the_wake_of_another(_: object) -> dict[str, object]:
    try:
        raise OperationalError("server closed the connection unexpectedly")
    finally:
        dict[str, int]()["cleaning up"]


PASSING = [
    raising(OperationalError("server closed the connection unexpectedly\n\tThis probably means")),
    raising(InterfaceError("connection already closed")),
    raising(OSError(errno.ENOSPC, "No space left on device")),
    raising(OSError(errno.EIO, "Input/output error")),
    raising(ConnectionResetError("peer")),
    raising(redis.exceptions.ConnectionError("Error 111")),
    raising(redis.exceptions.TimeoutError("Timeout reading from socket")),
    raising(kombu.exceptions.OperationalError("Error 111")),
    raising(RuntimeError("[enforce fail] PytorchStreamWriter failed writing file data/3")),
    raising(ChildKilledError("ended with signal SIGKILL.", remedy="More memory.")),
    raising(socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")),
    raising(MemoryError()),
    full_disk,
    error_in_the_wake_of_another,
]
OF_THE_WORK = [
    raising(KeyError("nothing")),
    raising(RemediableError("No such cohort.", remedy="Import it.")),
    raising(FileNotFoundError(errno.ENOENT, "No such file", "a.png")),
    raising(PermissionError(errno.EACCES, "Permission denied")),
    raising(IntegrityError("duplicate key")),
    raising(DataError("value too long")),
    raising(redis.exceptions.DataError("Invalid input of type: 'dict'")),
    raising(RuntimeError("CUDA error: an illegal memory access was encountered")),
]


@pytest.mark.parametrize("handler", PASSING)
def test_trouble_that_passes_puts_the_run_back_with_a_word_of_why(
    queued: Run, handle: Handle, handler: Handle
) -> None:
    handle(handler)
    run = services.execute(queued.pk)
    assert run is not None
    assert (run.state, run.setbacks, run.finished_at) == (State.QUEUED, 1, None)
    assert run.is_pausing
    assert run.error
    assert "\n" not in run.error
    assert "tried again by itself" in run.remedy
    assert services.execute(queued.pk) is None
    assert run.error in LogLine.objects.get(run=queued).text


@pytest.mark.parametrize("handler", OF_THE_WORK)
def test_an_error_of_the_work_fails_the_run(queued: Run, handle: Handle, handler: Handle) -> None:
    handle(handler)
    run = services.execute(queued.pk)
    assert run is not None
    assert (run.state, run.setbacks, run.is_pausing) == (State.FAILED, 0, False)


def let_the_pause_pass(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(not_before=timezone.now() - timedelta(seconds=1))


def test_pauses_grow_and_what_passed_leaves_a_run_that_succeeds(
    queued: Run, handle: Handle
) -> None:
    handle(PASSING[0])
    for setbacks in range(3):
        before = timezone.now()
        run = services.execute(queued.pk)
        assert run is not None and run.not_before is not None
        pause = (run.not_before - before).total_seconds()
        assert pause_s(setbacks) <= pause <= pause_s(setbacks) + 5
        let_the_pause_pass(run)
    assert [pause_s(n) for n in (0, 1, 2, 50)] == [5, 10, 20, 600]
    handle(lambda progress: {"files": 3})
    execute(run_id=str(queued.pk))
    queued.refresh_from_db()
    assert (queued.state, queued.error, queued.not_before) == (State.SUCCEEDED, "", None)


def test_trouble_that_does_not_pass_fails_the_run_in_the_end(queued: Run, handle: Handle) -> None:
    Run.objects.filter(pk=queued.pk).update(setbacks=MAX_SETBACKS - 1)
    handle(PASSING[0])
    run = services.execute(queued.pk)
    assert run is not None
    assert run.state == State.FAILED
    assert f"tried again {MAX_SETBACKS - 1} times" in run.error
    assert services.retry(run)
    queued.refresh_from_db()
    assert (queued.state, queued.setbacks) == (State.QUEUED, 0)


def test_children_that_are_killed_again_and_again_fail_the_run(queued: Run, handle: Handle) -> None:
    handle(raising(ChildKilledError("It ended with signal SIGKILL.", remedy="More memory.")))
    for _ in range(services.MAX_CRASHES):
        services.execute(queued.pk)
        let_the_pause_pass(queued)
    queued.refresh_from_db()
    assert (queued.state, queued.crashes) == (State.FAILED, services.MAX_CRASHES)


def test_a_run_that_is_to_be_cancelled_is_not_put_back(queued: Run, handle: Handle) -> None:
    def cancelled_in_trouble(progress: Any) -> dict[str, object]:
        services.cancel(progress.run)
        raise OperationalError("server closed the connection")

    handle(cancelled_in_trouble)
    run = services.execute(queued.pk)
    assert run is not None
    assert run.state == State.CANCELLED


def test_a_runs_page_says_why_and_when_and_lets_it_go_on_at_once(
    queued: Run, handle: Handle, cora_client: Client
) -> None:
    handle(full_disk)
    services.execute(queued.pk)
    address = reverse("runs:run", args=[queued.pk])
    page = cora_client.get(address).content.decode()
    assert "Why it was put back" in page
    assert "There is no room left on the disk to write the archive" in page
    assert "Put back, tried again at" in page
    assert "Try now" in page
    assert "no room left" in cora_client.get(reverse("runs:list")).content.decode()
    cora_client.post(reverse("runs:retry", args=[queued.pk]))
    handle(lambda progress: {})
    assert services.execute(queued.pk) is not None


@pytest.mark.django_db(transaction=True)
def test_a_run_whose_connection_is_cut_is_put_back_by_the_worker_itself(handle: Handle) -> None:
    run = Run.objects.create(kind="import_cohort", queue="cpu", title="cut off")

    def cut(_: object) -> dict[str, object]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return {}

    handle(cut)
    services.execute(run.pk)
    run.refresh_from_db()
    assert (run.state, run.setbacks, run.crashes) == (State.QUEUED, 1, 0)
    assert "OperationalError" in run.error


@pytest.mark.django_db(transaction=True)
def test_what_the_work_said_is_kept_though_the_connection_was_cut_meanwhile(
    handle: Handle,
) -> None:
    run = Run.objects.create(kind="import_cohort", queue="cpu", title="cut off")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (mine,) = cursor.fetchone()

    def cut_from_outside() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [mine])
        connection.close()

    def fail(_: object) -> dict[str, object]:
        cutter = threading.Thread(target=cut_from_outside)
        cutter.start()
        cutter.join()
        raise RemediableError("No such cohort.", remedy="Import it.")

    handle(fail)
    services.execute(run.pk)
    run.refresh_from_db()
    assert (run.state, run.error) == (State.FAILED, "No such cohort.")


def test_a_command_goes_on_by_itself(
    queued: Run, handle: Handle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedback_app.runs.trouble.FIRST_PAUSE_S", 0.2)
    monkeypatch.setattr("feedback_app.runs.console.PRINT_EVERY_S", 0.1)
    calls: list[int] = []

    def once_troubled(_: object) -> dict[str, object]:
        calls.append(1)
        if len(calls) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return {}

    handle(once_troubled)
    said: list[str] = []
    assert execute_here(queued, write=said.append).state == State.SUCCEEDED
    assert len(calls) == 2


def failing(_: Any) -> dict[str, object]:
    """The worker's memory does not hold what another one does beside it."""
    with naming_full_memory("8 images were made at a time"):
        raise OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")


def test_memory_that_others_hold_is_waited_for_but_not_for_ever(
    queued: Run, handle: Handle
) -> None:
    handle(failing)
    for _ in range(services.MAX_CRASHES):
        run = services.execute(queued.pk)
        let_the_pause_pass(queued)
        assert run is not None and "memory ran out while 8 images" in run.error
    queued.refresh_from_db()
    assert (queued.state, queued.setbacks) == (State.FAILED, services.MAX_CRASHES)


def test_a_worker_whose_gpu_is_spoiled_ends_before_it_fails_the_next_run(
    queued: Run, handle: Handle, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []
    monkeypatch.setattr("feedback_app.runs.tasks.signal.raise_signal", ended.append)
    later = Run.objects.create(kind=queued.kind, queue=queued.queue, title="the next")
    handle(raising(RuntimeError("CUDA error: out of memory")))
    execute(run_id=str(queued.pk))
    assert not ended
    let_the_pause_pass(queued)
    Run.objects.filter(pk=later.pk).update(state=State.QUEUED, not_before=None)
    handle(raising(RuntimeError("CUDA error: an illegal memory access was encountered")))
    execute(run_id=str(queued.pk))
    assert ended == [signal.SIGTERM]
    states = Run.objects.filter(pk__in=[queued.pk, later.pk]).values_list("state", flat=True)
    assert sorted(states) == sorted([State.FAILED, State.QUEUED])


@pytest.mark.parametrize(
    ("code", "passes"),
    [
        *((code, True) for code in ("25006", "25P03", "57P01", "57P03", "53300", "53100")),
        *((code, True) for code in ("40P01", "40001", "57014", "55P03", "53200")),
        *((code, False) for code in ("P0001", "54001", "42P01", "23505", "22001", "XX001")),
    ],
)
def test_what_postgresql_says_is_told_apart_by_its_code(code: str, *, passes: bool) -> None:
    """Read-only after a failover, restarted, full, deadlocked: not our own triggers' refusals."""
    statement = f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$"
    with pytest.raises(DatabaseError) as raised, transaction.atomic(), connection.cursor() as at:
        at.execute(statement)
    assert (trouble_of(raised.value) is not None) == passes


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (OSError(errno.EMFILE, "Too many open files"), True),
        (TimeoutError("slow"), True),
        (IsADirectoryError(errno.EISDIR, "a folder"), False),
        (RuntimeError("I/O error: No space left on device (os error 28)"), True),
        (RuntimeError("shapes differ"), False),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), True),
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), False),
        (http.client.IncompleteRead(b"", 10), True),
        (HTTPError("http://house", 503, "Slow down", Message(), None), True),
        (HTTPError("http://house", 404, "Not found", Message(), None), False),
        (URLError(OSError(errno.ECONNREFUSED, "Connection refused")), True),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"), True),
        (RuntimeError("CUDA error: CUDA-capable device(s) is/are busy or unavailable"), True),
        (RuntimeError("DataLoader worker (pid 1) is killed by signal: Bus error."), True),
        (RuntimeError("CUDA error: device-side assert triggered"), False),
    ],
)
def test_what_is_of_the_surroundings(error: Exception, *, passes: bool) -> None:
    assert is_of_surroundings(error) == passes

"""The named cast, storage of one's own, a real worker and a real browser.

``make test ARGS="tests/readings -k slot"`` runs a selection; ``-m "not slow"`` the quick part.
"""

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.test import Client, TransactionTestCase, override_settings
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django import DjangoDbBlocker, Settings
from pytest_django.live_server_helper import LiveServer

from feedback_app.accounts.models import Role, User
from feedback_app.local import chromium
from feedback_app.local.homes import CHECKOUT
from tests import trainings
from tests.database import made_database
from tests.emptying import empty_tables
from tests.windows import PATIENCE_MS, new_window
from tests.workers import Worker, own_redis

if TYPE_CHECKING:
    from tests.world import World

QUICK_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are cores: tests wait for servers, workers and browsers a good deal."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, so that no process is left alone with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end; the collector need not look through it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """pytest-django takes the database that it finds: the one made below."""
    return True


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, pytestconfig: pytest.Config
) -> Iterator[None]:
    """Makes the database before pytest-django looks for it; it has the process's suffix by now."""
    with made_database(pytestconfig.cache.mkdir("database")):
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_emptying() -> Iterator[None]:
    """After a test of committed rows, what migrations put in stays instead of being made anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_tables)
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_files() -> Iterator[None]:
    """Tests' files need not outlive the machine, so nobody waits until the disk has them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(autouse=True)
def storage(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Path:
    """Every test has blobs, run folders and model versions of its own, or those of its module."""
    is_shared = "module_world" in request.fixturenames
    root: Path = request.getfixturevalue("module_storage") if is_shared else tmp_path / "storage"
    for name, folder in folders_in(root).items():
        setattr(settings, name, folder)
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    return root


def folders_in(root: Path) -> dict[str, Path]:
    """The settings that say where files lie."""
    return {
        "DATA_ROOT": root,
        "MEDIA_ROOT": root / "blobs",
        "RUNS_ROOT": root / "runs",
        "MODELS_ROOT": root / "models",
        "STATIC_ROOT": root / "static",
    }


@pytest.fixture(scope="module")
def module_storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("storage")


@pytest.fixture(scope="module")
def module_world(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    module_storage: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator["World"]:
    """One world for all tests of a module; what each of them changes in it is taken back.

    A test works on a copy of the rows at hand, since those remember what was changed.
    """
    from tests.world import build_world  # which only some need

    quick = override_settings(PASSWORD_HASHERS=QUICK_HASHERS, **folders_in(module_storage))
    with django_db_blocker.unblock(), transaction.atomic():
        with quick:
            cast = {name: person(name) for name in ("rosa", "ravi", "cora")}
            world = build_world(**cast, folder=tmp_path_factory.mktemp("ward"))
        yield world
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = QUICK_HASHERS


@pytest.fixture
def trainings_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings that this test starts run in its own process, which has torch already."""
    for starter in trainings.STARTERS:
        monkeypatch.setattr(starter, trainings.run_here)


@pytest.fixture
def trainings_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings that this test starts run in processes of their own, which are warm."""
    for starter in trainings.STARTERS:
        monkeypatch.setattr(starter, trainings.run_warm)


# The cast: two readers, a coordinator, an admin, an outsider; ``client`` is nobody.


CAST: dict[str, dict[str, Any]] = {
    "rosa": {"first_name": "Rosa", "role": Role.READER},
    "ravi": {"first_name": "Ravi", "role": Role.READER},
    "otto": {"first_name": "Otto", "role": Role.READER},
    "cora": {"first_name": "Cora", "role": Role.COORDINATOR},
    "ada": {"first_name": "Ada", "role": Role.ADMIN, "is_staff": True},
}


def person(name: str) -> User:
    """Somebody of the cast; some are in the module's world already, where it has one."""
    known = User.objects.filter(username=name).first()
    return known or User.objects.create_user(name, **CAST[name])


@pytest.fixture
def rosa(db: None) -> User:
    """A reader of the study at hand."""
    return person("rosa")


@pytest.fixture
def ravi(db: None) -> User:
    """Another reader of the study at hand."""
    return person("ravi")


@pytest.fixture
def otto(db: None) -> User:
    """A reader who has no part in the study at hand."""
    return person("otto")


@pytest.fixture
def cora(db: None) -> User:
    return person("cora")


@pytest.fixture
def ada(db: None) -> User:
    return person("ada")


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    """A logged-in client for anybody."""

    def logged_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return logged_in


@pytest.fixture
def rosa_client(rosa: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(rosa)


@pytest.fixture
def ravi_client(ravi: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(ravi)


@pytest.fixture
def otto_client(otto: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(otto)


@pytest.fixture
def cora_client(cora: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(cora)


@pytest.fixture
def ada_client(ada: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(ada)


@pytest.fixture
def everyone(
    client: Client,
    rosa_client: Client,
    ravi_client: Client,
    otto_client: Client,
    cora_client: Client,
    ada_client: Client,
) -> dict[str, Client]:
    """The whole cast by name, nobody among them, for tests of who may do what."""
    return {
        "nobody": client,
        "rosa": rosa_client,
        "ravi": ravi_client,
        "otto": otto_client,
        "cora": cora_client,
        "ada": ada_client,
    }


# Committed data, workers, browser.


@pytest.fixture
def committed(transactional_db: None) -> None:
    """Rows that other processes see."""


@pytest.fixture
def start_worker(committed: None, storage: Path, tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Starts real Celery workers on the test database: ``start_worker("gpu")``."""
    own_redis().flushdb()
    workers: list[Worker] = []

    def start(queue: str, **environment: str) -> Worker:
        worker = Worker(
            queue=queue,
            log=tmp_path / f"worker-{queue}-{len(workers)}.log",
            environment={"DATA_ROOT": str(storage), **environment},
        )
        workers.append(worker)
        worker.start()
        return worker

    yield start
    for worker in workers:
        worker.stop()


@pytest.fixture
def gpu_worker(start_worker: Callable[..., Worker]) -> Worker:
    return start_worker("gpu")


@pytest.fixture
def cpu_worker(start_worker: Callable[..., Worker]) -> Worker:
    return start_worker("cpu")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real headless Chromium; its tests are skipped, by name, where none can be had."""
    program = chromium.find()
    if program is None:
        pytest.skip("NO CHROMIUM: install it, or name one in CHROMIUM; `make test` tries to")
    # Playwright's sync API keeps an event loop in this thread, which Django takes for async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=program, headless=True, args=list(chromium.FLAGS)
        )
        yield started
        started.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def shared_window(browser: Browser, live_server: LiveServer) -> Iterator[BrowserContext]:
    """For nearly all tests: a window of its own would start a process and load all scripts anew.

    Its first page stays open and lends itself to whoever cleans up.
    """
    context = new_window(browser, live_server)
    context.new_page().goto("/healthz")
    yield context
    context.close()


@pytest.fixture
def window(
    request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer
) -> Iterator[BrowserContext]:
    """Without pages but one, cookies and anything stored; a turned clock would stay turned."""
    if request.node.get_closest_marker("turns_clock"):
        context = new_window(browser, live_server)
        yield context
        context.close()
        return
    shared: BrowserContext = request.getfixturevalue("shared_window")
    yield shared
    first, *others = shared.pages
    for other in others:
        other.close()
    shared.set_offline(offline=False)
    shared.clear_cookies()
    first.evaluate("localStorage.clear()")


@pytest.fixture
def page(committed: None, window: BrowserContext) -> Page:
    """A page of nobody at the live server; addresses may be relative."""
    expect.set_options(timeout=PATIENCE_MS)
    return window.new_page()


@pytest.fixture
def log_in(page: Page, live_server: LiveServer) -> Callable[[User], None]:
    """Gives the page somebody's session, without typing a password."""

    def with_session_of(user: User) -> None:
        client = Client()
        client.force_login(user)
        name = django_settings.SESSION_COOKIE_NAME
        page.context.add_cookies(
            [{"name": name, "value": client.cookies[name].value, "url": live_server.url}]
        )

    return with_session_of


@pytest.fixture(scope="session")
def hard_cases() -> Path:
    """The folder of hard files; its tests are skipped, by name, where there is none."""
    data = Path(os.environ.get("READING_ROOM_DATA", CHECKOUT.parent / "shared" / "data"))
    folder = Path(os.environ.get("READING_ROOM_CASES", data.parent / "cases"))
    if not folder.is_dir():
        pytest.skip(f"NO CASES in {folder}: set READING_ROOM_CASES to the folder that has them")
    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets; its tests are skipped, by name, where there is none."""
    folder = Path(os.environ.get("READING_ROOM_DATA", CHECKOUT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"NO REAL DATA in {folder}: set READING_ROOM_DATA to the folder that has it")
    return folder

"""Twenty faults in five minutes under load, and what is left of what was promised.

Eight readers read a pool as their browsers do, asking again where no answer comes; batches of
candidates and imports of cohorts are in the queue. Meanwhile processes are killed or hung,
Redis is killed, hung and emptied, PostgreSQL restarted, its connections cut. At the end all
that was acknowledged must be there once and unaltered, and every run done without anybody's
help. The demo's own supervisor starts again what dies.

``python -m benchmarks faults`` does it with servers and data of its own, and exits non-zero
where something was lost. It is not among the benchmarks that run by themselves.
"""

import http.client
import io
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks.rows import Row
from feedback_app.local.demo import children_of, choose_port
from feedback_app.local.homes import CHECKOUT
from feedback_app.local.postgres import Postgres
from feedback_app.local.redis import Redis
from feedback_app.local.servers import Server, environment, running_servers, throw_away_home
from feedback_app.local.supervisor import Supervisor

if TYPE_CHECKING:
    from benchmarks.readers import Reader

READERS = 8
CASES = 4_000
EVERY_S = 1.0
FAULTS_S = 300.0
QUIET_S = 600.0
"""So long the runs may take to be done when the faults have ended."""
BATCHES, IMAGES = 6, 24
COHORTS, FILES = 4, 40
SEED = 12


def run() -> list[Row]:
    """Measure in a process that starts servers of its own and knows of no others."""
    kept = ("DATABASE_URL", "REDIS_URL", "DATA_ROOT")
    env = {name: value for name, value in os.environ.items() if name not in kept}
    env |= {"DEBUG": "false", "DJANGO_SETTINGS_MODULE": "feedback_app.settings"}
    with TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.json"
        command = [sys.executable, "-m", "benchmarks.faults", str(rows)]
        subprocess.run(command, cwd=CHECKOUT, env=env, check=True)
        return [Row(**row) for row in json.loads(rows.read_text())]


@dataclass
class House:
    """The servers and processes that faults happen to; only the main thread touches them."""

    supervisor: Supervisor
    postgres: Postgres
    redis: Redis
    hung: list[tuple[float, psutil.Process]] = field(default_factory=list)

    def pid_of(self, name: str) -> int:
        child = next(child for child in self.supervisor.children if child.name == name)
        assert child.process is not None
        return child.process.pid

    def kill(self, name: str) -> None:
        os.kill(self.pid_of(name), signal.SIGKILL)

    def a_web_worker(self) -> psutil.Process:
        return random.Random(SEED).choice(psutil.Process(self.pid_of("web")).children())

    def hang(self, process: psutil.Process, *, for_s: float) -> None:
        process.suspend()
        self.hung.append((time.monotonic() + for_s, process))

    def wake_the_hung(self, *, all_of_them: bool = False) -> None:
        for until, process in list(self.hung):
            if all_of_them or time.monotonic() >= until:
                process.resume()
                self.hung.remove((until, process))

    def server_pid(self, server: Server) -> int:
        assert server.process is not None
        return server.process.pid


def cut_connections(_: House) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def empty_redis(_: House) -> None:
    from django.core.cache import cache

    cache.clear()


def restart_postgres(house: House) -> None:
    """At once, as after a crash; the supervisor starts it again."""
    os.kill(house.server_pid(house.postgres), signal.SIGQUIT)
    assert house.postgres.process is not None
    house.postgres.process.wait()


def kill_redis(house: House) -> None:
    os.kill(house.server_pid(house.redis), signal.SIGKILL)
    assert house.redis.process is not None
    house.redis.process.wait()


FAULTS: dict[str, tuple[int, Callable[[House], None]]] = {
    "Redis is killed": (2, kill_redis),
    "Redis hangs": (
        2,
        lambda house: house.hang(psutil.Process(house.server_pid(house.redis)), for_s=6),
    ),
    "Redis is emptied": (2, empty_redis),
    "connections to PostgreSQL are cut": (3, cut_connections),
    "PostgreSQL is restarted": (2, restart_postgres),
    "a web worker is killed": (2, lambda house: house.a_web_worker().kill()),
    "a web worker hangs": (1, lambda house: house.hang(house.a_web_worker(), for_s=4)),
    "the web process is killed": (2, lambda house: house.kill("web")),
    "the CPU worker is killed": (2, lambda house: house.kill("worker-cpu")),
    "the GPU worker is killed": (2, lambda house: house.kill("worker-gpu")),
}


def drawn_faults() -> list[str]:
    """Returns all of them, in an order drawn by seed."""
    names = [name for name, (count, _) in FAULTS.items() for _ in range(count)]
    random.Random(SEED).shuffle(names)
    return names


def measure() -> list[Row]:
    """Start everything, do the faults, wait for quiet, count."""
    with (
        throw_away_home() as home,
        running_servers(home, is_throw_away=False) as servers,
        home.log("supervisor").open("w") as said,
    ):
        env = environment(home, servers) | {"LOG_LEVEL": "ERROR"}
        (Path(env["DATA_ROOT"]) / "static").mkdir(parents=True)
        os.environ.update(env)
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        port = choose_port()
        supervisor = Supervisor(children_of(home, port), servers=servers, env=env, out=said)
        postgres = next(one for one in servers if isinstance(one, Postgres))
        redis = next(one for one in servers if isinstance(one, Redis))
        house = House(supervisor, postgres, redis)
        try:
            return _measure(house, port=port, folder=home.folder / "cohorts")
        finally:
            house.wake_the_hung(all_of_them=True)
            supervisor.stop()


def _measure(house: House, *, port: int, folder: Path) -> list[Row]:
    from django.db import close_old_connections

    from benchmarks.pool import write_people, write_pool

    readers = [patient_reader(user, port=port) for user in write_people(READERS)]
    study = write_pool([reader.user for reader in readers], cases=CASES, overlap=READERS)
    ask_for_work(folder)
    wait(house, for_s=20)
    ended = time.monotonic() + FAULTS_S
    threads = [
        threading.Thread(target=read, args=(reader, study.pk, ended), daemon=True)
        for reader in readers
    ]
    for thread in threads:
        thread.start()
    names = drawn_faults()
    for name in names:
        print(f"{time.strftime('%H:%M:%S')} {name}", flush=True)
        close_old_connections()
        FAULTS[name][1](house)
        wait(house, for_s=FAULTS_S / len(names))
    while any(thread.is_alive() for thread in threads):
        wait(house, for_s=1)
    quiet_s = wait_for_quiet(house)
    return count(readers, faults=len(names), quiet_s=quiet_s)


def wait(house: House, *, for_s: float) -> None:
    until = time.monotonic() + for_s
    while time.monotonic() < until:
        house.supervisor.tick(0.3)
        house.wake_the_hung()


def wait_for_quiet(house: House) -> float:
    """Seconds until no run waits or works."""
    from django.db import close_old_connections

    from feedback_app.runs.models import Run

    began = time.monotonic()
    close_old_connections()
    while Run.objects.unfinished().exists() and time.monotonic() < began + QUIET_S:
        wait(house, for_s=2)
    return time.monotonic() - began


def patient_reader(user: Any, *, port: int) -> "Reader":
    """Asks again until there is an answer, as the reading page does, with the same key."""
    from benchmarks.readers import Reader

    class PatientReader(Reader):
        longest_s = 0.0

        def _ask(self, method: str, address: str, body: object = None) -> Any:
            began = time.monotonic()
            while True:
                try:
                    answer = super()._ask(method, address, body)
                except (OSError, http.client.HTTPException):
                    self.connection.close()
                else:
                    if answer[0] < 500:
                        self.longest_s = max(self.longest_s, time.monotonic() - began)
                        return answer
                time.sleep(0.5)

    return PatientReader(user, port=port)


def read(reader: "Reader", study_id: object, ended: float) -> None:
    reader.read_until(ended, reader.begin(study_id), every_s=EVERY_S)


def ask_for_work(folder: Path) -> None:
    """Batches for the GPU worker, imports for the CPU worker."""
    import numpy as np
    import PIL.Image

    from feedback_app.images.candidates.batches import Settings, create_batch
    from feedback_app.images.cohorts.services import start_import
    from feedback_app.images.versions.services import register_bundled

    version = register_bundled()
    for number in range(BATCHES):
        create_batch(
            f"Faults {number}",
            model_version=version,
            prompts=["chest x-ray, pneumonia", "chest x-ray, effusion"],
            images_per_prompt=IMAGES // 2,
            settings=Settings(steps=8),
            seed=1_000 * number,
        )
    randomness = np.random.default_rng(SEED)
    for number in range(COHORTS):
        images = folder / str(number) / "images"
        images.mkdir(parents=True)
        for file in range(FILES):
            pixels = randomness.integers(0, 256, (64, 64), dtype=np.uint8)
            buffer = io.BytesIO()
            PIL.Image.fromarray(pixels).save(buffer, format="PNG")
            (images / f"{number}-{file}.png").write_bytes(buffer.getvalue())
        start_import("folder", images.parent, name=f"cohort-{number}")


def count(readers: Sequence["Reader"], *, faults: int, quiet_s: float) -> list[Row]:
    from django.conf import settings
    from django.db.models import Count

    from feedback_app.images.models import Blob, Candidate, CohortImage, Recipe
    from feedback_app.readings.models import Reading, Score
    from feedback_app.runs.models import Run, State

    acknowledged = [slot for reader in readers for slot in reader.acknowledged]
    stored = {str(slot) for slot in Reading.objects.values_list("slot", flat=True)}
    doubled = Reading.objects.values("slot").annotate(times=Count("pk")).filter(times__gt=1)
    known = {Blob(sha256=sha256).path for sha256 in Blob.objects.values_list("sha256", flat=True)}
    root = Path(settings.MEDIA_ROOT)
    files = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    figures = {
        "faults_done": faults,
        "faults_readings_acknowledged": len(acknowledged),
        "faults_readings_lost": len(set(acknowledged) - stored),
        "faults_readings_doubled": doubled.count(),
        "faults_readings_altered": Score.objects.exclude(value=3).count(),
        "faults_runs_succeeded": Run.objects.filter(state=State.SUCCEEDED).count(),
        "faults_runs_failed": Run.objects.unsuccessful().count(),
        "faults_runs_unfinished": Run.objects.unfinished().count(),
        "faults_images_missing": Recipe.objects.count() - Candidate.objects.count(),
        "faults_cohort_images_missing": COHORTS * FILES - CohortImage.objects.count(),
        "faults_orphan_blobs": len(files - known),
        "faults_blobs_missing": len(known - files),
        "faults_longest_wait_s": max(getattr(reader, "longest_s", 0.0) for reader in readers),
        "faults_quiet_after_s": quiet_s,
    }
    for row in Run.objects.unsuccessful():
        print(f"{row.title}: {row.error}", flush=True)
    return [
        Row(name=name, value=round(value, 1), unit="s" if name.endswith("_s") else "")
        for name, value in figures.items()
    ]


MUST_BE_NONE = ("lost", "doubled", "altered", "failed", "unfinished", "missing", "blobs")

if __name__ == "__main__":
    rows = measure()
    Path(sys.argv[1]).write_text(json.dumps([asdict(row) for row in rows]))
    wrong = [row.name for row in rows if row.name.endswith(MUST_BE_NONE) and row.value]
    for row in rows:
        print(f"{row.name:<32} {row.value:>10} {row.unit}", flush=True)
    sys.exit(f"Not as promised: {', '.join(wrong)}" if wrong else 0)

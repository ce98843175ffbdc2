"""Importing JPEG-baseline DICOM of 1024 x 1024, and the memory that it takes.

Distinct files are generated, with as much detail as a chest X-ray of that size has. They go
through the whole import: decoding, hashes, the fingerprint, its comparison with another
cohort's, storage, PostgreSQL. 200 and 2,000 files are imported, each in a process of its own;
the rate is that of the second, and memory is the most that its process held.

``python -m benchmarks.imports`` prints the figures.
"""

import io
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import PIL.Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, SecondaryCaptureImageStorage, generate_uid

from benchmarks.rows import Row
from feedback_app.local.homes import CHECKOUT
from feedback_app.local.servers import environment, running_servers, throw_away_home

SIDE_PX = 1024
FEW, MANY = 200, 2_000
TARGET_PER_S = 70.0
QUALITY, DETAIL_PX, CONTRAST = 90, 512, 0.12
MIB = 2**20


def run() -> list[Row]:
    """Measure with servers and data of its own, in processes that know of no others."""
    kept = {name: os.environ.pop(name, None) for name in ("DATABASE_URL", "REDIS_URL", "DATA_ROOT")}
    try:
        with (
            throw_away_home() as home,
            running_servers(home, is_throw_away=False) as servers,
            TemporaryDirectory() as folder,
        ):
            env = environment(home, servers) | {"LOG_LEVEL": "ERROR", "DEBUG": "false"}
            env |= {"DJANGO_SETTINGS_MODULE": "feedback_app.settings"}
            manage = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
            subprocess.run(manage, cwd=CHECKOUT, env=env, check=True)
            few, many = (measure(count, folder=Path(folder), env=env) for count in (FEW, MANY))
    finally:
        os.environ.update({name: value for name, value in kept.items() if value is not None})
    return [
        Row(
            name="dicom_import_per_s",
            value=round(many["per_s"], 1),
            unit="images/s",
            baseline=TARGET_PER_S,
            ratio=round(many["per_s"] / TARGET_PER_S, 2),
        ),
        Row(name="dicom_import_cpu_ms", value=round(many["cpu_ms"], 2), unit="ms an image"),
        Row(
            name="dicom_import_memory_mib",  # of 2,000 files, against 200
            value=round(many["memory_mib"], 1),
            unit="MiB",
            baseline=round(few["memory_mib"], 1),
            ratio=round(many["memory_mib"] / few["memory_mib"], 3),
        ),
    ]


def measure(count: int, *, folder: Path, env: dict[str, str]) -> dict[str, float]:
    """Generate files and import them in a process of its own."""
    images = folder / str(count) / "images"
    images.mkdir(parents=True)
    with ProcessPoolExecutor() as pool:
        numbers = range(count)
        for number, content in enumerate(pool.map(make_dicom, numbers, chunksize=16)):
            (images / f"{number:05}.dcm").write_bytes(content)
    result = folder / f"{count}.json"
    command = [sys.executable, "-m", "benchmarks.imports", str(images.parent), str(result)]
    subprocess.run(command, cwd=CHECKOUT, env=env, check=True)
    figures: dict[str, float] = json.loads(result.read_text())
    return figures


def make_dicom(seed: int) -> bytes:
    """Large shapes of its own under detail that lies elsewhere in each; 160 to 200 kB."""
    generator = np.random.default_rng(seed)
    shapes = PIL.Image.fromarray(generator.normal(size=(8, 8)).astype(np.float32))
    grey = np.asarray(shapes.resize((SIDE_PX, SIDE_PX), PIL.Image.Resampling.BICUBIC))
    grey = grey + np.roll(detail(), generator.integers(SIDE_PX, size=2), axis=(0, 1))
    grey = (grey - grey.min()) / (grey.max() - grey.min()) * 255
    file = io.BytesIO()
    PIL.Image.fromarray(np.rint(grey).astype(np.uint8)).save(file, "JPEG", quality=QUALITY)
    return wrap(file.getvalue(), patient=str(seed // 3))


@cache
def detail() -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=(DETAIL_PX, DETAIL_PX)).astype(np.float32)
    fine = PIL.Image.fromarray(noise).resize((SIDE_PX, SIDE_PX), PIL.Image.Resampling.BICUBIC)
    return np.asarray(fine) * CONTRAST


def wrap(jpeg: bytes, *, patient: str) -> bytes:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = JPEGBaseline8Bit
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    header = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    header.SOPClassUID, header.SOPInstanceUID = (
        meta.MediaStorageSOPClassUID,
        meta.MediaStorageSOPInstanceUID,
    )
    header.PatientID, header.PatientSex, header.PatientAge = patient, "F", "060Y"
    header.ViewPosition, header.Rows, header.Columns = "PA", SIDE_PX, SIDE_PX
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated = header.BitsStored = 8
    header.HighBit, header.PixelRepresentation = 7, 0
    header.PixelData = encapsulate([jpeg])
    file = io.BytesIO()
    header.save_as(file, enforce_file_format=True)
    return file.getvalue()


def import_here(folder: Path) -> dict[str, float]:
    """In a process whose environment names the servers; torch is not loaded for it."""
    import django

    django.setup()
    from feedback_app.images.cohorts.services import start_import
    from feedback_app.images.models import CohortImage
    from feedback_app.runs import services as runs
    from feedback_app.runs.models import State

    name = f"generated-{folder.name}"
    started, cpu_before_s = time.perf_counter(), time.process_time()
    run = runs.execute(start_import("folder", folder, name=name).pk)
    spent_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu_before_s
    assert run is not None and run.state == State.SUCCEEDED, run and run.error
    count = CohortImage.objects.filter(cohort__name=name).count()
    assert count == int(folder.name), "every file came in"
    held_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "per_s": count / spent_s,
        "cpu_ms": cpu_s / count * 1000,
        "memory_mib": held_kib * 1024 / MIB,
    }


def main(arguments: Sequence[str]) -> None:
    if arguments:
        folder, result = map(Path, arguments)
        result.write_text(json.dumps(import_here(folder)))
        return
    for row in run():
        print(json.dumps(asdict(row)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

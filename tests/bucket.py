"""A bucket that speaks S3, in a server process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from pytest_django import Settings

from feedback_app.environment import bucket as options_of

NAME = "room"
KEY = "test-key"
READY_LIMIT_S = 120
Host = Callable[[str], Path]


@contextmanager
def served(folder: Path) -> Iterator[dict[str, str]]:
    """Yields the settings by which a host uses the bucket, as its environment has them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "bucket.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)],
            stdout=log,
            stderr=log,
            cwd=folder,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )
        try:
            endpoint = f"http://127.0.0.1:{port}"
            _make_bucket(endpoint, process)
            yield {
                "STORAGE_URL": f"s3://{NAME}/one/installation",
                "STORAGE_ENDPOINT": endpoint,
                "STORAGE_REGION": "us-east-1",
                "STORAGE_ACCESS_KEY": KEY,
                "STORAGE_SECRET_KEY": KEY,
            }
        finally:
            process.kill()
            process.wait()


def client_of(endpoint: str) -> "boto3.client":
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=KEY,
        aws_secret_access_key=KEY,
    )


def _make_bucket(endpoint: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_LIMIT_S
    while True:
        assert process.poll() is None, "the bucket's server ended"
        assert time.monotonic() < deadline, "the bucket's server does not answer"
        try:
            client_of(endpoint).create_bucket(Bucket=NAME)
        except (BotoCoreError, ClientError):
            time.sleep(0.2)
        else:
            return


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with served(tmp_path_factory.mktemp("bucket")) as given:
        yield given


@pytest.fixture
def host(environment: dict[str, str], settings: Settings, tmp_path: Path, db: None) -> Host:
    """Makes this process one of several hosts, which have nothing but the bucket in common."""
    url = f"s3://{NAME}/{tmp_path.name}"

    def become(name: str) -> Path:
        root = tmp_path / name
        settings.DATA_ROOT = root
        settings.MEDIA_ROOT = root / "blobs"
        settings.RUNS_ROOT = root / "runs"
        settings.MODELS_ROOT = root / "models"
        settings.STORAGE_URL = url
        given = {
            name: environment[f"STORAGE_{name.upper()}"]
            for name in ("endpoint", "region", "access_key", "secret_key")
        }
        settings.STORAGES = {**settings.STORAGES, "default": options_of(url, **given)}
        return root

    return become

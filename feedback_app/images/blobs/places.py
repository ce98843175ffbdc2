"""Files and folders of the storage as paths of this host, and folders of this host in the storage.

With a folder as storage every path is what it is. With a bucket, hosts share no folder: a folder
below DATA_ROOT is put into the bucket as blobs and a listing, under its path relative to
DATA_ROOT, and fetched by whichever host asks for it next.
"""

import json
import logging
import os
import re
import shutil
import threading
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, TypedDict, cast

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.dispatch import receiver

from feedback_app.images.blobs.models import Blob
from feedback_app.runs.children import child_ended, child_saved, child_starting
from feedback_app.runs.together import gathering_began, helper_joins
from generation.hashing import sha256_of_file

if TYPE_CHECKING:
    from feedback_app.images.blobs.bucket import BucketStorage

LISTINGS, LISTED = "folders/", ".json"
SPEC = "spec.json"
"""What makes a folder a run folder, whose files name others by path."""
NAMING = ("*.json", "*.jsonl")
WRITTEN_FOR = ".root"
"""In a run folder: the DATA_ROOT in which its files name others."""
PINNED = ".pinned"
"""In a run folder: links to what its files name, so that these are not trimmed meanwhile."""
CHECKPOINT = "checkpoint"
"""In a run folder: what a training goes on from."""
STATES = "*.pt"
FETCHED_AT_ONCE = 8

logger = logging.getLogger(__name__)
_keeping = threading.Lock()


class Listing(TypedDict):
    """What a folder in the bucket is: its files' hashes by their names.

    ``root`` is the DATA_ROOT that it was put from, ``newest_ns`` when its newest state is from.
    """

    root: str
    files: dict[str, str]
    newest_ns: int


def is_shared() -> bool:
    """Returns whether the storage is a bucket, and this host's folders are this host's alone."""
    return bool(settings.STORAGE_URL)


def path_of_blob(sha256: str) -> str:
    """Returns where the file lies, or will once ``fetch_named`` has been called."""
    return str(Path(settings.MEDIA_ROOT) / Blob(sha256=sha256).path)


def signed_address(blob: Blob, *, file_name: str, expire_s: int) -> str | None:
    """Returns where a blob can be fetched from the bucket itself; None where it is streamed."""
    if not (is_shared() and settings.STORAGE_SIGNED_DOWNLOADS):
        return None
    bucket = cast("BucketStorage", default_storage)
    return bucket.signed_address(
        blob.path, file_name=file_name, media_type=blob.media_type, expire_s=expire_s
    )


def put(folder: Path, *, name: str | None = None) -> None:
    """Puts a folder into the bucket, the listing last: all of it or nothing; twice is no harm.

    It has its path below DATA_ROOT as its name, unless it lies elsewhere and is given one. A
    run folder keeps for which DATA_ROOT it was written, whatever the storage is; its checkpoint
    has a listing of its own.
    """
    if (folder / SPEC).is_file():
        (folder / WRITTEN_FOR).write_text(str(settings.DATA_ROOT), encoding="utf-8")
    if not is_shared():
        return
    newest_ns = _newest_ns(folder)
    left_out = {PINNED, CHECKPOINT} if (folder / SPEC).exists() else {PINNED}
    listed = {
        path.relative_to(folder).as_posix(): _put_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not left_out & set(path.relative_to(folder).parts[:1])
        if path.suffix != ".tmp"
    }
    told = Listing(root=str(settings.DATA_ROOT), files=listed, newest_ns=newest_ns)
    content = json.dumps(told).encode()
    default_storage.save(listing_of(name or _name_of(folder)), ContentFile(content))


def listings() -> Iterator[tuple[str, Listing]]:
    """Yields all folders of the bucket by name, the outer ones first."""
    bucket = cast("BucketStorage", default_storage)
    for place in sorted(name for name, _, _ in bucket.stored(LISTINGS)):
        content = bucket.read_fresh(place)
        if content:
            yield place.removeprefix(LISTINGS).removesuffix(LISTED), json.loads(content)


def copy_listed(told: Listing, target: Path) -> None:
    """Fetches what a listing tells of into a folder in the place of what is there."""
    shutil.rmtree(target, ignore_errors=True)
    _fetch_into(target, told)


def bring(folder: Path) -> Path:
    """Returns a folder below DATA_ROOT, fetched whole where it was put by another host."""
    if not is_shared() or folder.exists() or not folder.is_relative_to(settings.DATA_ROOT):
        return folder
    if told := _told(folder):
        _fetch_into(folder, told)
    return folder


def bring_current(folder: Path) -> Path:
    """Returns a folder below DATA_ROOT with each file as it was put last, by whichever host.

    A spec stays as it is here: it names files by the paths of this host.
    """
    if is_shared() and (told := _told(folder)):
        for name, sha256 in told["files"].items():
            target = folder / name
            if not target.is_file() or (name != SPEC and sha256_of_file(target) != sha256):
                target.parent.mkdir(parents=True, exist_ok=True)
                partial = target.with_name(f"{target.name}.tmp")
                shutil.copyfile(default_storage.path(Blob(sha256=sha256).path), partial)
                partial.replace(target)
    return folder


def file_of(folder: Path, name: str) -> Path | None:
    """Returns one file of a folder below DATA_ROOT, fetched alone; None where there is none."""
    told = _told(folder) if is_shared() else None
    if told is None:
        return folder / name if (folder / name).is_file() else None
    sha256 = told["files"].get(name)
    return Path(default_storage.path(Blob(sha256=sha256).path)) if sha256 else None


def _fetch_into(folder: Path, told: Listing) -> None:
    """Fetches what a listing tells of, whole; nothing where another process was quicker."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(mkdtemp(dir=folder.parent, prefix=".new-"))
    try:
        for name, sha256 in told["files"].items():
            target = temporary / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(default_storage.path(Blob(sha256=sha256).path), target)
        if SPEC in told["files"]:
            _move(temporary, old=told["root"])
        temporary.chmod(0o755)
        with suppress(FileExistsError, OSError):  # another process was quicker
            temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@receiver(child_saved)
def keep_state(*, run_dir: Path, **_: object) -> None:
    """Puts what a training has kept into the bucket beside it, one state at a time."""
    if is_shared() and _keeping.acquire(blocking=False):
        threading.Thread(target=_keep_state, args=(run_dir,), daemon=True).start()


def _keep_state(run_dir: Path) -> None:
    try:
        put_state(run_dir)
    except Exception:  # a state that is not kept now is kept the next time
        logger.exception("the state of %s is not in the bucket", run_dir)
    finally:
        _keeping.release()


def put_state(run_dir: Path) -> None:
    """Puts a training's checkpoint into the bucket, and takes the one before out of it."""
    state = run_dir / CHECKPOINT
    before = _told(state)
    put(state)
    now = _told(state)
    if before and now:
        old, new = (_states_in(told) for told in (before, now))
        for sha256 in old - new:
            default_storage.delete(Blob(sha256=sha256).path)


def bring_state(run_dir: Path) -> None:
    """Fetches the checkpoint of a training that another host brought further."""
    state = run_dir / CHECKPOINT
    told = _told(state) if is_shared() else None
    if told and told["newest_ns"] > _newest_ns(state):
        shutil.rmtree(state, ignore_errors=True)
        _fetch_into(state, told)


def _states_in(told: Listing) -> set[str]:
    """Returns the hashes of the files that are of a checkpoint alone, and of no model."""
    return {sha256 for name, sha256 in told["files"].items() if Path(name).match(STATES)}


def _newest_ns(folder: Path) -> int:
    found = [0]
    for path in folder.glob(STATES):
        with suppress(FileNotFoundError):  # replaced meanwhile
            found.append(path.stat().st_mtime_ns)
    return max(found)


def fetch_named(run_dir: Path) -> None:
    """Fetches the blobs that a run folder's files name by path, and pins them."""
    if not is_shared():
        return
    media = str(Path(settings.MEDIA_ROOT))
    naming = re.compile(re.escape(media).encode() + rb"/([0-9a-f]{2}/[0-9a-f]{64})")
    names: set[str] = set()
    for path in _naming(run_dir):
        with path.open("rb") as file:
            names |= {found.decode() for line in file for found in naming.findall(line)}
    pin(run_dir, names)


def pin(run_dir: Path, names: Iterable[str]) -> None:
    """Fetches files of the storage, and keeps them on this host until they are let go."""
    pinned = run_dir / PINNED
    pinned.mkdir(parents=True, exist_ok=True)

    def fetch(name: str) -> None:
        link = pinned / Path(name).name
        while not link.exists():
            with suppress(FileNotFoundError, FileExistsError):  # trimmed in between: once more
                os.link(default_storage.path(name), link)

    with ThreadPoolExecutor(FETCHED_AT_ONCE) as threads:
        list(threads.map(fetch, sorted(names)))


def let_go(run_dir: Path) -> None:
    """Lets what a run folder has pinned be trimmed like everything else."""
    shutil.rmtree(run_dir / PINNED, ignore_errors=True)


def bring_named(run_dir: Path) -> None:
    """Fetches the folders that a run's spec names, such as weights, whole and below DATA_ROOT."""
    if not is_shared():
        return
    spec = (run_dir / SPEC).read_text(encoding="utf-8")
    for root in map(Path, (settings.MODELS_ROOT, settings.RUNS_ROOT)):
        for name in set(re.findall(re.escape(f'"{root}/') + r'([^"]+)"', spec)):
            for folder in (root / name, *(root / name).parents):
                if folder == root or bring(folder).exists():
                    break


@receiver(child_starting)
def fetch_for_child(*, run_dir: Path, **_: object) -> None:
    follow_storage(run_dir)
    bring_named(run_dir)
    bring_state(run_dir)
    fetch_named(run_dir)


@receiver(child_ended)
def let_go_after_child(*, run_dir: Path, **_: object) -> None:
    let_go(run_dir)


@receiver(gathering_began)
def put_for_helpers(*, run_dir: Path, **_: object) -> None:
    """Puts a run folder that was made on this host there, for the hosts that help."""
    if is_shared() and _told(run_dir) is None:
        put(run_dir)


@receiver(helper_joins)
def fetch_for_helper(*, run_dir: Path, **_: object) -> None:
    """Fetches the run folder of a training, and the weights and files that it names."""
    bring(run_dir)
    bring_named(run_dir)
    bring_state(run_dir)
    fetch_named(run_dir)


def forget(folder: Path) -> None:
    """Takes a folder's listing out of the bucket; its files may be blobs of something else."""
    if is_shared():
        default_storage.delete(listing_of(_name_of(folder)))


def erase_files(folder: Path, names: Collection[str] = ()) -> None:
    """Takes files of a folder off this host and out of the bucket; all where none is named."""
    if told := _told(folder) if is_shared() else None:
        kept = {name: sha for name, sha in told["files"].items() if names and name not in names}
        if kept:
            content = json.dumps({**told, "files": kept}).encode()
            default_storage.save(listing_of(_name_of(folder)), ContentFile(content))
        else:
            forget(folder)
        used = {sha for _, other in listings() for sha in other["files"].values()}
        for sha256 in {*told["files"].values()} - used:
            if not Blob.objects.filter(pk=sha256).exists():
                default_storage.delete(Blob(sha256=sha256).path)
    if not names:
        shutil.rmtree(folder, ignore_errors=True)
    for name in names:
        (folder / name).unlink(missing_ok=True)


def follow_storage(run_dir: Path) -> None:
    """Lets a run folder's files name others where the storage lies now, if it was moved since."""
    mark = run_dir / WRITTEN_FOR
    old = mark.read_text(encoding="utf-8") if mark.is_file() else ""
    if old and old != str(settings.DATA_ROOT):
        _move(run_dir, old=old)


def _move(run_dir: Path, *, old: str) -> None:
    """Lets files name others by the paths of this host."""
    new = str(settings.DATA_ROOT)
    for path in _naming(run_dir):
        path.write_bytes(path.read_bytes().replace(f'"{old}/'.encode(), f'"{new}/'.encode()))
    (run_dir / WRITTEN_FOR).write_text(new, encoding="utf-8")


def _naming(run_dir: Path) -> list[Path]:
    return [path for pattern in NAMING for path in sorted(run_dir.glob(pattern))]


def _put_file(path: Path) -> str:
    sha256 = sha256_of_file(path)
    with path.open("rb") as file:
        name = Blob(sha256=sha256).path
        if not default_storage.exists(name):
            default_storage.save(name, File(file))
    return sha256


def _name_of(folder: Path) -> str:
    return folder.relative_to(settings.DATA_ROOT).as_posix()


def listing_of(name: str) -> str:
    """Returns the name of the file that lists a folder."""
    return f"{LISTINGS}{name}{LISTED}"


def _told(folder: Path) -> Listing | None:
    """Returns what is in the bucket of a folder now; None where nothing was put."""
    content = cast("BucketStorage", default_storage).read_fresh(listing_of(_name_of(folder)))
    return cast("Listing", json.loads(content)) if content else None

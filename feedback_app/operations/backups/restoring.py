"""Putting a backup back: checked whole, then the files, then the database in one transaction."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone
from psycopg2 import sql

from feedback_app.images.blobs.places import is_shared, put
from feedback_app.images.blobs.services import naming_a_full_disk
from feedback_app.operations.backups import programs
from feedback_app.operations.backups.making import FOLDERS
from feedback_app.operations.backups.manifests import DUMP, Manifest, check, key_mark, read
from feedback_app.operations.buckets.holdings import folders_here
from feedback_app.operations.buckets.marks import bucket, claim, mark
from generation.errors import RemediableError

OURS = "feedback_app."
OF_PEOPLE = ("accounts_user", "images_blob", "runs_run")
"""Tables in which there is something once anybody has worked."""

Say = Callable[[str], None]


def restore(folder: Path, *, replace: bool, say: Say) -> Manifest:
    """Put a backup in place of what is here; a target that is in use is refused unless told.

    What lies in the storage then is moved aside, not removed.
    """
    manifest = read(folder)
    _require_known(manifest)
    check(folder, manifest)
    say(f"the backup of {manifest.made_at} is whole: {len(manifest.parts):,} files")
    require_alone()
    if not replace:
        _require_empty()
    if is_shared():
        claim(bucket(), replace=replace)
    aside = _moved_aside()
    if aside:
        say(f"what lay in the storage is now in {aside}")
    with naming_a_full_disk("the backup's files"):
        _put_files(folder, manifest)
    _put_database(folder)
    if is_shared():
        for name in folders_here():
            put(settings.DATA_ROOT / name)
        mark(bucket(), is_whole=True)
    if manifest.key != key_mark():
        say(
            "SECRET_KEY is another one than the backup's installation had: everybody logs in "
            "anew, and readers have other pseudonyms in files of readings."
        )
    return manifest


def _require_known(manifest: Manifest) -> None:
    """A database of a newer version has tables that this code does not know."""
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    ours = {config.label for config in apps.get_app_configs() if config.name.startswith(OURS)}
    newer = [
        f"{app}.{name}"
        for app, name in manifest.migrations
        if app in ours and (app, name) not in known
    ]
    if newer:
        raise RemediableError(
            f"The backup was made by a newer version: {newer[-1]} is not known here.",
            remedy="Restore it with that version.",
        )


def require_alone() -> None:
    """Nobody else may be at work in the database while its tables are exchanged."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        others = cursor.fetchone()[0]
    if others:
        raise RemediableError(
            f"{others} other connections use this database.",
            remedy="Stop web, workers and beat first.",
        )


def _require_empty() -> None:
    used = [table for table in OF_PEOPLE if _has_rows(table)]
    folders = [path for path in _folders() if path.is_dir() and any(path.iterdir())]
    if used or folders:
        found = ", ".join([*used, *map(str, folders)])
        raise RemediableError(
            f"This installation is in use: there is something in {found}.",
            remedy="Name an empty database and DATA_ROOT, or add --replace.",
        )


def _has_rows(table: str) -> bool:
    if table not in connection.introspection.table_names():
        return False
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(table)))
        return bool(cursor.fetchone()[0])


def _folders() -> Iterator[Path]:
    return (settings.DATA_ROOT / name for name in ("blobs", *FOLDERS))


def _moved_aside() -> Path | None:
    """Moves the storage's folders aside; blobs that are in a bucket stay, being what they were."""
    folders = [path for path in _folders() if path.is_dir() and any(path.iterdir())]
    if not folders:
        return None
    aside: Path = settings.DATA_ROOT / f"replaced-{timezone.now():%Y%m%d-%H%M%S}"
    aside.mkdir()
    for path in folders:
        path.rename(aside / path.name)
    return aside


def _put_files(folder: Path, manifest: Manifest) -> None:
    for part in manifest.of_folder("blobs"):
        with (folder / part.name).open("rb") as file:
            default_storage.save(part.name.removeprefix("blobs/"), File(file))
    for top in FOLDERS:
        for part in manifest.of_folder(top):
            target = settings.DATA_ROOT / part.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / part.name, target)
    for name, goal in manifest.links:
        link = settings.DATA_ROOT / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(goal, target_is_directory=True)


def _put_database(folder: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    connection.close()
    programs.run(
        "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction",
        folder / DUMP,
    )  # fmt: skip

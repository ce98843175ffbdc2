"""The file that test databases are restored from is another one when the tables may differ."""

import pytest

from tests import database


@pytest.mark.parametrize(
    "changed", ["feedback_app.readings.migrations.0001_initial", "feedback_app.append_only"]
)
def test_a_changed_migration_or_what_it_imports_asks_for_another_file(
    changed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = database.fingerprint()
    read = database.source_of
    monkeypatch.setattr(
        database, "source_of", lambda name: read(name) + ("# changed" if name == changed else "")
    )
    assert database.fingerprint() != before

"""How a training child tells its worker what became of it."""

import errno
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from generation.commands.run_folder import RunFolder, run_command
from generation.errors import PASSING_STATUS, RemediableError


def test_a_full_disk_ends_a_child_with_a_status_of_its_own(tmp_path: Path) -> None:
    def full(folder: RunFolder) -> Mapping[str, Any]:
        raise OSError(errno.ENOSPC, "No space left on device")

    assert run_command(full, [str(tmp_path)]) == PASSING_STATUS
    assert not (tmp_path / "result.json").exists()


def test_an_error_of_the_work_is_raised_and_one_with_a_remedy_written_down(tmp_path: Path) -> None:
    def wrong(folder: RunFolder) -> Mapping[str, Any]:
        raise ValueError("shapes differ")

    def refused(folder: RunFolder) -> Mapping[str, Any]:
        raise RemediableError("No such cohort.", remedy="Import it.")

    with pytest.raises(ValueError, match="shapes"):
        run_command(wrong, [str(tmp_path)])
    assert run_command(refused, [str(tmp_path)]) == 1
    told = json.loads((tmp_path / "error.json").read_text())
    assert told == {"error": "No such cohort.", "remedy": "Import it.", "passes": False}

    def full(folder: RunFolder) -> Mapping[str, Any]:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise RemediableError("No room for weights.", remedy="Make room.") from error

    assert run_command(full, [str(tmp_path)]) == 1
    assert json.loads((tmp_path / "error.json").read_text())["passes"]

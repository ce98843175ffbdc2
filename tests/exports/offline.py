"""What a library says of an unzipped export, in a process of its own and without a network."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def run_offline(program: str, folder: Path, *, home: Path, limit_s: int = 240) -> Any:
    """Run a program on a folder; its last line is JSON."""
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        capture_output=True,
        text=True,
        env={"HF_HUB_OFFLINE": "1", "HF_HOME": str(home / "hf"), "HOME": str(home)},
        check=False,
        timeout=limit_s,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])

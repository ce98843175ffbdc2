"""A training child for tests: what a cell's folder says in, predictions of it out.

The spec's seed says what becomes of it: 13 fails once, then it works.
"""

import json
import sys
from pathlib import Path
from typing import Any

UNLUCKY = 13


def main(folder: Path) -> None:
    spec = json.loads((folder / "spec.json").read_text())
    if spec["seed"] == UNLUCKY and not (folder / "failed").exists():
        (folder / "failed").touch()
        (folder / "error.json").write_text(json.dumps({"error": "No luck.", "remedy": "Retry."}))
        sys.exit(1)
    rows = [json.loads(line) for line in Path(spec["real"]).read_text().splitlines()]
    assert all(Path(row["path"]).is_file() for row in rows)
    (finding,) = spec["findings"]
    test = [predicted(row, finding) for row in rows if row["split"] == "test"]
    (folder / "predictions.json").write_text(json.dumps(test))
    result = {
        "figures": {"macro_f1": 0.75},
        "thresholds": {finding: 0.5},
        "best_step": 2,
        "seconds": 3.5,
    }
    (folder / "result.json").write_text(json.dumps(result))


def predicted(row: dict[str, Any], finding: str) -> dict[str, Any]:
    there = int(finding in row["findings"])
    told = {name: row[name] for name in ("image_id", "patient", "view", "sex", "age_years")}
    return told | {
        "truth": {finding: there},
        "probability": {finding: 0.75 if there else 0.25},
        "said": {finding: there},
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))

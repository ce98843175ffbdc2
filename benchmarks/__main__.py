"""Run the benchmarks, print a table, and write ``benchmarks/results.json``.

``python -m benchmarks`` runs all of them, ``python -m benchmarks browser`` only one.
"""

import argparse
import importlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.rows import Row

MODULES = (
    "browser",
    "claims",
    "coverage",
    "imports",
    "first_fetch",
    "pages",
    "sampler",
    "dpo",
    "active",
    "gains",
    "readings_files",
    "case_review",
)
"""In the order of running; each has ``run() -> list[Row]``."""
ON_REQUEST = ("faults", "clavicles", "scale", "turns")
"""Only where they are named: two take more than five minutes, one needs real data."""
KNOWN = (*MODULES, *ON_REQUEST)

RESULTS = Path(__file__).with_name("results.json")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(KNOWN)}")
    names = parser.parse_args().names or MODULES
    if unknown := sorted(set(names) - set(KNOWN)):
        parser.error(f"There is no benchmark {', '.join(unknown)}; there is {', '.join(KNOWN)}.")
    for name in names:
        rows: list[Row] = importlib.import_module(f"benchmarks.{name}").run()
        print_table(rows)
        keep(rows)


def print_table(rows: Sequence[Row]) -> None:
    for row in rows:
        against = f"  {row.ratio:.2f} x {row.baseline:g}" if row.ratio and row.baseline else ""
        print(f"{row.name:<32} {row.value:>12.2f} {row.unit:<10}{against}", flush=True)


def keep(rows: Sequence[Row]) -> None:
    """Write the figures at once, beside those of benchmarks that did not run this time."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    measured = {row.name for row in rows}
    whole = [row for row in kept if row["name"] not in measured] + [asdict(row) for row in rows]
    RESULTS.write_text(json.dumps(whole, indent=2) + "\n")


if __name__ == "__main__":
    main()

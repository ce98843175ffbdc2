"""python -m benchmarks.comments: which artefacts are found in readers' comments.

``comments.csv`` has 70 comments with the flags that a person would put, written before the
parser was run on any of them, and by one who knew its table; nothing was changed after.
"""

import csv
from collections import Counter
from pathlib import Path

from feedback_app.studies.scales import DEFAULT_FLAGS
from generation.vlm.reports.comments import artefacts_in

COMMENTS = Path(__file__).with_name("comments.csv")


def main() -> None:
    counts: Counter[str] = Counter()
    for row in csv.DictReader(COMMENTS.open(encoding="utf-8")):
        meant = {flag for flag in row["flags"].split("; ") if flag}
        named = artefacts_in(row["comment"], DEFAULT_FLAGS)
        offered = {one.name for one in named if one.presence != "absent"}
        counts["found"] += len(offered & meant)
        counts["missed"] += len(meant - offered)
        counts["wrong"] += len(offered - meant)
        if offered != meant:
            print(f"{row['comment']}: meant {sorted(meant)}, offered {sorted(offered)}")
    found, missed, wrong = counts["found"], counts["missed"], counts["wrong"]
    print(f"precision {found / (found + wrong):.3f}, recall {found / (found + missed):.3f}")
    print(f"found {found}, missed {missed}, wrong {wrong}")


if __name__ == "__main__":
    main()

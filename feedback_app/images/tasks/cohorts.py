"""Importing a cohort: read what is there, bring in what is missing, report the rest."""

from pathlib import Path

from feedback_app.images.services.cohorts import ingest, open_cohort, read_source
from feedback_app.runs.kinds import handles
from feedback_app.runs.progress import Progress

LOGGED_SKIPS = 100
"""Lines of the log; the result has them all."""


@handles("import_cohort")
def import_cohort(progress: Progress) -> dict[str, object]:
    spec = progress.run.spec
    source = read_source(spec["source"], Path(spec["path"]), mask_kind=spec["mask_kind"])
    cohort = open_cohort(spec["name"], source=spec["source"])
    report = ingest(source, cohort=cohort, progress=progress)
    for skip in report.skipped[:LOGGED_SKIPS]:
        progress.log(f"{skip.file} ({skip.what}): {skip.reason}")
    return {"cohort": cohort.name, **report.as_result()}

"""Importing a cohort; its handler is free of torch, so that a command can do it quickly."""

from pathlib import Path
from typing import Any

from celery import shared_task

from feedback_app.images.cohorts.import_report import Report
from feedback_app.images.cohorts.ingesting import ingest
from feedback_app.images.cohorts.services import OPTIONS, open_cohort, require_images
from feedback_app.images.cohorts.shared_pictures import complete_fingerprints
from feedback_app.images.cohorts.uploads import arrived, discard, discard_old
from feedback_app.runs.kinds import handles
from feedback_app.runs.progress import Progress
from generation.datasets.sources import read_source


@shared_task(name="images.discard_uploads")
def discard_uploads() -> None:
    discard_old()


@handles("import_cohort")
def import_cohort(progress: Progress) -> dict[str, object]:
    """Read what is there, bring in what is missing, report the rest."""
    spec: dict[str, Any] = progress.run.spec
    options = OPTIONS.validate_python(spec.get("options", {}))
    path = arrived(Path(spec["path"]))
    source = read_source(spec["source"], path, options)
    cohort = open_cohort(spec["name"], source=spec["source"])
    complete_fingerprints(progress)
    report = Report.begin(progress)
    ingest(source, cohort=cohort, report=report)
    require_images(report, source=spec["source"], path=spec["path"])
    discard(path)
    return {"cohort": cohort.name, **report.as_result()}

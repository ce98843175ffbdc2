"""Importing cohorts: starting, and what a worker then does."""

import re
from pathlib import Path

from pydantic import TypeAdapter

from feedback_app.accounts.models import User
from feedback_app.images.cohorts.import_report import Report
from feedback_app.images.cohorts.models import Cohort
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from generation.datasets.layouts import LAYOUTS
from generation.datasets.sources import ImportOptions
from generation.errors import RemediableError

COHORT_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
OPTIONS = TypeAdapter(ImportOptions)


def start_import(
    source: str,
    path: Path,
    *,
    name: str,
    options: ImportOptions | None = None,
    created_by: User | None = None,
) -> Run:
    """Queue the import of a data set as the cohort ``name``."""
    if not COHORT_NAME.fullmatch(name):
        raise RemediableError(
            f"“{name}” cannot be a cohort's name.",
            remedy="Use up to 64 letters, digits, hyphens and underscores, without spaces.",
        )
    return runs.start(
        "import_cohort",
        title=f"Import {name} from {path.name}",
        spec={
            "source": source,
            "path": str(path),
            "name": name,
            "options": OPTIONS.dump_python(options or ImportOptions(), mode="json"),
        },
        created_by=created_by,
    )


def find_cohort(name: str) -> Cohort:
    """Returns the cohort of this name."""
    cohort = Cohort.objects.filter(name=name).first()
    if cohort is None:
        names = ", ".join(Cohort.objects.values_list("name", flat=True)) or "none"
        raise RemediableError(f"There is no cohort {name!r}.", remedy=f"Imported: {names}.")
    return cohort


def open_cohort(name: str, *, source: str) -> Cohort:
    """Returns the cohort of this name, made where there is none; one of another source is
    refused.
    """
    cohort, _ = Cohort.objects.get_or_create(name=name, defaults={"source": source})
    if cohort.erased_at:
        raise RemediableError(
            f"The cohort {name!r} was erased.", remedy="Import it under another name with --name."
        )
    if cohort.source != source:
        raise RemediableError(
            f"The cohort {name!r} was imported from {cohort.source!r}, not from {source!r}.",
            remedy="Give this data set a name of its own with --name.",
        )
    return cohort


def require_images(report: Report, *, source: str, path: str) -> None:
    """Fail where not one image was there: the folder is not what it was taken for."""
    if report.added["images"] or report.unchanged:
        return
    raise RemediableError(
        f"Not one image of {LAYOUTS[source].title} could be read from {path}; "
        f"{report.skipped.total():,} reasons are in the report on the cohort's page.",
        remedy="Put the image files where the data set has them, then import again.",
    )

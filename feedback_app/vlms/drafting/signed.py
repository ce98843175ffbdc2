"""What readers of a study would sign, kept as a set so that it can be compared with others."""

from collections import defaultdict
from random import Random

from django.db import transaction

from feedback_app.accounts.models import User
from feedback_app.finetuning.services.image_means import teaching_readings
from feedback_app.readings.report_models import WrittenReport
from feedback_app.studies.models import CaseImage, DraftOrigin, DraftSet, Study
from feedback_app.studies.services import keep_drafts
from generation.errors import RemediableError


@transaction.atomic
def keep_signed(
    name: str, study: Study, *, simulated: bool = False, created_by: User | None = None
) -> DraftSet:
    """Returns one report an image; of several readers' one by lot, which follows from study and
    image.

    Retracted readings stay out.
    """
    written: dict[str, list[WrittenReport]] = defaultdict(list)
    images = dict(CaseImage.objects.filter(case__study=study).values_list("case", "image__blob"))
    readings = teaching_readings(simulated=simulated, studies=[study])
    reports = WrittenReport.objects.filter(reading__in=readings).select_related("reading__slot")
    for report in reports.order_by("reading__slot__reader", "reading"):
        written[images[report.reading.slot.case_id]].append(report)
    if not written:
        raise RemediableError(
            f"No reader of “{study.name}” has signed a report yet.",
            remedy="Choose a study in which reports were written or corrected.",
        )
    chosen = {
        sha256: Random(f"{study.pk}:{sha256}:signed").choice(reports)
        for sha256, reports in sorted(written.items())
    }
    asked = {
        "study": study.name,
        "study_id": str(study.pk),
        "readers": sorted({one.reading.slot.reader_id or 0 for one in chosen.values()}),
        "edited": sum(not one.is_accepted for one in chosen.values()),
    }
    texts = {sha256: report.text for sha256, report in chosen.items()}
    facts = {"origin": DraftOrigin.READERS, "asked": asked}
    return keep_drafts(name, texts, actor=created_by, **facts).drafts

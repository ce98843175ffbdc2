"""What VLM versions learnt of readings that are retracted."""

from django.db.models import Exists, OuterRef, QuerySet

from feedback_app.readings.models import Retraction, Sources
from feedback_app.vlms.learning.models import ReportLesson, ReportSnapshot


def report_snapshots_resting_on(sources: Sources) -> QuerySet[ReportSnapshot]:
    """Those with a line from a reading of one of these readers or studies."""
    drawn = sources.among(reader="reading__reader", study="reading__slot__study")
    lessons = ReportLesson.objects.filter(drawn, snapshot=OuterRef("pk"))
    return ReportSnapshot.objects.filter(Exists(lessons))


def retracted_report_snapshots() -> QuerySet[ReportSnapshot]:
    return report_snapshots_resting_on(Retraction.objects.active().sources())

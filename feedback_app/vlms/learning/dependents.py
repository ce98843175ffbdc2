"""What VLM versions learnt of readings that are retracted."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from feedback_app.readings.retraction_models import Retraction, Sources
from feedback_app.runs.models import UNSUCCESSFUL
from feedback_app.vlms.learning.gate_models import VlmGate
from feedback_app.vlms.learning.models import ReportLesson, ReportSnapshot, VlmFineTune
from feedback_app.vlms.models import VlmVersion


@dataclass(frozen=True)
class VlmImpact:
    """What rests on readings of reports, each kind in the order in which it was made."""

    snapshots: tuple[ReportSnapshot, ...]
    fine_tunes: tuple[VlmFineTune, ...]
    versions: tuple[VlmVersion, ...]
    gates: tuple[VlmGate, ...]


def report_snapshots_resting_on(sources: Sources) -> QuerySet[ReportSnapshot]:
    """Returns those with a line from a reading of one of these readers or studies."""
    drawn = sources.among(reader="reading__reader", study="reading__slot__study")
    lessons = ReportLesson.objects.filter(drawn, snapshot=OuterRef("pk"))
    return ReportSnapshot.objects.filter(Exists(lessons))


def retracted_report_snapshots() -> QuerySet[ReportSnapshot]:
    return report_snapshots_resting_on(Retraction.objects.active().sources())


def vlm_impact_of(sources: Sources) -> VlmImpact:
    """Snapshots, what they taught, all that was taught on from that, and gates they judged."""
    snapshots = tuple(report_snapshots_resting_on(sources).order_by("created_at"))
    if not snapshots:
        return VlmImpact((), (), (), ())
    tunes = (
        VlmFineTune.objects.exclude(version=None, run__state__in=UNSUCCESSFUL)
        .select_related("snapshot", "parent", "version", "run")
        .order_by("created_at")
    )
    first = {row.version_id for row in tunes if row.snapshot in snapshots and row.version_id}
    versions: dict[int, VlmVersion] = {}
    for version in VlmVersion.objects.order_by("pk"):  # a parent comes before its children
        if version.pk in first or version.parent_id in versions:
            versions[version.pk] = version
    gates = VlmGate.objects.filter(snapshot__in=snapshots, verdict__isnull=False)
    return VlmImpact(
        snapshots,
        tuple(row for row in tunes if row.snapshot in snapshots or row.parent_id in versions),
        tuple(versions.values()),
        tuple(gates.select_related("child", "parent", "run").order_by("created_at")),
    )

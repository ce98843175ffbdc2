"""The mark of whatever rests on retracted readings, with a link to why."""

from dataclasses import dataclass
from typing import Any

from django import template

from feedback_app.accounts.models import User
from feedback_app.finetuning.models import FineTune
from feedback_app.images.models import ModelVersion
from feedback_app.provenance.impact import Impact, impact_of_retraction, latest_of
from feedback_app.provenance.naming import address, describe
from feedback_app.readings.retraction_models import Retraction
from feedback_app.studies.models import Study

register = template.Library()


@dataclass(frozen=True)
class Marks:
    """The active retractions, each with what rests on its readings."""

    impacts: tuple[tuple[Retraction, Impact], ...]

    def of(self, row: Any) -> Retraction | None:
        return next((one for one, impact in self.impacts if row in impact), None)

    def of_target(self, row: User | Study) -> Retraction | None:
        """Returns the retraction of this reader's, or this study's, own readings."""
        whole = [one for one, _ in self.impacts if not (one.reader and one.study)]
        return next((one for one in whole if row in (one.reader, one.study)), None)


@register.inclusion_tag("provenance/_mark.html", takes_context=True)
def retraction_mark(context: template.Context, row: Any, *, whole: bool = False) -> dict[str, Any]:
    """Returns a badge where the row rests on retracted readings; ``whole`` says what replaces
    what.
    """
    fine_tune = FineTune.objects.filter(model_version=row).first() if _is_version(row) else row
    retraction = marks_of(context).of(row)
    shown: dict[str, Any] = {"retraction": retraction}
    if whole and fine_tune is not None:
        latest = latest_of(fine_tune)
        shown["replacement"] = latest if retraction and latest != fine_tune else None
        shown["replaced"] = getattr(fine_tune, "replaces", None)
    return shown


@register.inclusion_tag("provenance/_retracted.html", takes_context=True)
def retraction_of(context: template.Context, row: User | Study) -> dict[str, Any]:
    """Returns a badge on a reader or a study that is retracted."""
    return {"retraction": marks_of(context).of_target(row)}


@register.inclusion_tag("provenance/_retract_link.html", takes_context=True)
def retract_link(
    context: template.Context, row: User | Study, *, button: bool = False
) -> dict[str, Any]:
    """Links to the page that retracts a reader's or a study's readings; nothing where they are."""
    if isinstance(row, User):
        target, name = f"reader:{row.pk}", row.display_name
    else:
        target, name = f"study:{row.pk}", row.name
    retraction = marks_of(context).of_target(row)
    return {"retraction": retraction, "target": target, "name": name, "button": button}


def _is_version(row: Any) -> bool:
    return isinstance(row, ModelVersion)


def marks_of(context: template.Context) -> Marks:
    """Found once a request."""
    request = context.get("request")
    marks: Marks | None = getattr(request, "retraction_marks", None)
    if marks is None:
        active = Retraction.objects.active().select_related("reader", "study")
        marks = Marks(tuple((one, impact_of_retraction(one)) for one in active))
        if request is not None:
            request.retraction_marks = marks
    return marks


@register.filter
def address_of(row: Any) -> str:
    """Returns the page of whatever rests on readings."""
    return address(row)


@register.filter
def name_of(row: Any) -> str:
    return describe(row)

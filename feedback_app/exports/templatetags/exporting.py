"""The form for an export, on pages of apps that know nothing of exports."""

from django import template

from feedback_app.curation.models import CuratedSet
from feedback_app.exports.forms import ExportForm

register = template.Library()


@register.simple_tag
def export_form(curated_set: CuratedSet) -> ExportForm:
    return ExportForm(initial={"curated_set": curated_set.pk})

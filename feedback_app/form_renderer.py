"""How every page shows a form's field: label, widget, help and what is wrong with it."""

from django.forms.renderers import TemplatesSetting


class FormRenderer(TemplatesSetting):
    """``field.as_field_group`` in a template gives ``templates/forms/field.html``."""

    field_template_name = "forms/field.html"

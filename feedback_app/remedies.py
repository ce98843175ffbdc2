"""One way from an error with a remedy to whoever caused it."""

from django import forms

from generation.errors import RemediableError


def complain(form: forms.BaseForm, field: str | None, error: RemediableError) -> None:
    """Says it at a field of the form, or above the form where ``field`` is None."""
    form.add_error(field, f"{error} {error.remedy}")

"""What a coordinator fills in about a gate."""

from django import forms

from feedback_app.accounts.models import Role, User


class ReadersForm(forms.Form):
    readers = forms.ModelMultipleChoiceField(
        User.objects.filter(role=Role.READER, is_active=True, is_simulated=False).order_by(
            "first_name", "username"
        ),
        widget=forms.CheckboxSelectMultiple,
    )

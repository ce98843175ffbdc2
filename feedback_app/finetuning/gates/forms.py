"""What a coordinator fills in about a gate."""

from django import forms

from feedback_app.accounts.models import Role, User
from feedback_app.finetuning.requests import GateStudyRequest
from feedback_app.requests import read


class ReadersForm(forms.Form):
    readers = forms.ModelMultipleChoiceField(
        User.objects.filter(role=Role.READER, is_active=True, is_simulated=False).order_by(
            "first_name", "username"
        ),
        widget=forms.CheckboxSelectMultiple,
    )

    def request(self) -> GateStudyRequest:
        names = tuple(reader.username for reader in self.cleaned_data["readers"])
        return read(GateStudyRequest, {"readers": names})

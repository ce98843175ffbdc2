"""Forms for people and for looking something up in the audit log."""

from datetime import date
from operator import itemgetter
from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import PasswordChangeForm
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest

from feedback_app.accounts.audit_words import action_in_words
from feedback_app.accounts.models import AuditEvent, Role, User
from feedback_app.accounts.requests import TokenRequest
from feedback_app.requests import form_field_of, read

DATES = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2999, 12, 31))]
"""Within which the day before and after each can be told in any time zone."""


class AddPersonForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("username", "first_name", "last_name", "role")
        labels = {"username": "Name to log in with"}
        help_texts = {"username": "Letters, digits and @ . + - _"}


class ChangePersonForm(forms.Form):
    first_name = forms.CharField(required=False, max_length=150)
    last_name = forms.CharField(required=False, max_length=150)
    role = forms.ChoiceField(choices=Role.choices)


class OwnPasswordForm(PasswordChangeForm):
    """A wrong old password counts, and locks, like one at a login: a page may be left open."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        password: str = self.cleaned_data["old_password"]
        if not authenticate(self.request, username=self.user.username, password=password):
            raise forms.ValidationError(
                self.error_messages["password_incorrect"], code="password_incorrect"
            )
        return password


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=40,
        label="Code",
        help_text="Six digits of your authenticator, or one of your recovery codes.",
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}
        ),
    )


class SetUpForm(forms.Form):
    code = forms.CharField(
        max_length=40,
        label="Code",
        help_text="The six digits that your authenticator shows now.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class TokenForm(forms.Form):
    """Offers the roles that its owner's reaches."""

    name = form_field_of(
        TokenRequest, "name", widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    role = form_field_of(TokenRequest, "role", labels=dict(Role.choices))
    is_read_only = form_field_of(TokenRequest, "is_read_only")
    days = form_field_of(TokenRequest, "days")

    def __init__(self, *args: Any, owner: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reached = [role for role in Role if role.rank <= owner.held_role.rank]
        field = self.fields["role"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(role.value, role.label) for role in reached]
        self.initial.setdefault("role", owner.held_role.value)

    def request(self) -> TokenRequest:
        return read(TokenRequest, self.cleaned_data)


class AuditForm(forms.Form):
    person = forms.ModelChoiceField(
        User.objects.order_by("username"), required=False, empty_label="Anybody"
    )
    action = forms.ChoiceField(required=False, label="What")
    first = forms.DateField(
        required=False,
        label="From",
        widget=forms.DateInput(attrs={"type": "date"}),
        validators=DATES,
    )
    last = forms.DateField(
        required=False,
        label="To",
        widget=forms.DateInput(attrs={"type": "date"}),
        validators=DATES,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        actions = AuditEvent.objects.order_by("action").values_list("action", flat=True).distinct()
        field = self.fields["action"]
        assert isinstance(field, forms.ChoiceField)
        named = sorted(((action, action_in_words(action)) for action in actions), key=itemgetter(1))
        field.choices = [("", "Anything"), *named]

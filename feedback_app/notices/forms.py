"""How a person wants to have notices."""

from typing import Any

from django import forms
from django.conf import settings

from feedback_app.accounts.models import User
from feedback_app.notices.models import OF_READERS, NoticeKind, Way
from feedback_app.notices.services import ways_of


class NoticesForm(forms.Form):
    """A field for each kind that can come to the person, and where mail goes."""

    email = forms.EmailField(required=False, label="Your e-mail address")

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].initial = person.email
        ways = [way for way in Way.choices if way[0] != Way.MAIL or settings.EMAIL_HOST]
        for kind in NoticeKind if person.is_coordinator else OF_READERS:
            chosen = ways_of([person], kind)[person.pk]
            self.fields[kind.value] = forms.ChoiceField(
                label=kind.label, choices=ways, initial=chosen
            )

"""The forms of prompt sets: prompts written or brought, or drawn from a cohort's labels."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator

from feedback_app.images.cohorts.models import Cohort
from feedback_app.images.prompts.models import NAME_PATTERN, PromptSet
from feedback_app.images.prompts.services import MAX_PROMPTS, findings_of, require_usable
from feedback_app.remedies import complain
from generation.conditioning.balance import Wish
from generation.conditioning.findings import FINDINGS, NORMAL
from generation.conditioning.prompt_files import BadRow, read_prompts
from generation.errors import RemediableError

TEXT_MAX_CHARACTERS = 1_000_000


class NameForm(forms.Form):
    """The name of a new set; a new version has none to choose."""

    name = forms.CharField(
        max_length=64,
        validators=[RegexValidator(NAME_PATTERN, "A name without an @.")],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, has_name: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_name:
            del self.fields["name"]

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if PromptSet.objects.filter(name=name).exists():
            raise forms.ValidationError(
                "There is a set of this name: give another one, or make a new version of it."
            )
        return name


class WrittenForm(NameForm):
    """It takes prompts in a text; while rows of it are bad, nothing is saved unless that is
    wished.
    """

    prompts = forms.CharField(
        max_length=TEXT_MAX_CHARACTERS,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false"}),
        help_text=(
            "One a line; or CSV, whose first line names columns: prompt, or findings, sex, age "
            "and view, from which prompts are built."
        ),
    )
    leaves_out_bad_rows = forms.BooleanField(required=False, label="Save without these rows")

    bad_rows: tuple[BadRow, ...] = ()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "prompts" in cleaned:
            read = read_prompts(cleaned["prompts"])
            self.bad_rows = read.bad_rows
            cleaned["prompts"] = list(read.prompts)
            if read.bad_rows and not cleaned.get("leaves_out_bad_rows"):
                self.add_error(None, "Some rows cannot be used; nothing was saved yet.")
            else:
                self._require_usable(cleaned["prompts"])
        return cleaned

    def _require_usable(self, prompts: list[str]) -> None:
        try:
            require_usable(prompts)
        except RemediableError as error:
            complain(self, "prompts", error)


class LabelsForm(NameForm):
    """It asks how many prompts of which findings."""

    cohort = forms.ModelChoiceField(Cohort.objects.all(), empty_label=None)
    count = forms.IntegerField(label="Prompts", min_value=1, max_value=MAX_PROMPTS, initial=64)
    several_percent = forms.IntegerField(
        label="Several findings, %",
        min_value=0,
        max_value=100,
        initial=0,
        help_text="Combinations that occur in the cohort",
    )
    seed = forms.IntegerField(min_value=0, max_value=2**31, initial=0)
    findings = forms.MultipleChoiceField(
        choices=[(finding, finding) for finding in (NORMAL, *FINDINGS)],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Choose none to take all that the cohort has.",
    )

    @property
    def wish(self) -> Wish:
        data = self.cleaned_data
        return Wish(
            findings=tuple(data["findings"]) or findings_of(data["cohort"]),
            count=data["count"],
            several_percent=data["several_percent"],
            seed=data["seed"],
        )

"""Case by case: the list of a study's read cases, with what each reader said of them."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django_filters import ChoiceFilter, Filter

from feedback_app.accounts.access import coordinators_only
from feedback_app.accounts.models import User
from feedback_app.images.candidates.picks import keep_picks
from feedback_app.lists.actions import Action
from feedback_app.lists.filters import ListFilter
from feedback_app.lists.pages import ListPage
from feedback_app.remedies import tell
from feedback_app.results.access import study_with_results
from feedback_app.results.adjudication_forms import AdjudicationForm
from feedback_app.results.adjudication_requests import ask_for_adjudication
from feedback_app.results.cases import by_disagreement, find_cases, tells_source
from feedback_app.results.reviewed import review
from feedback_app.results.rounds import rounds_of
from feedback_app.studies.models import Case, CaseImage, Study
from feedback_app.studies.views.lists import ReaderFilter
from generation.errors import RemediableError

SHOWN = (
    ("commented", "With a comment"),
    ("skipped", "Skipped"),
    ("flagged", "With a flag"),
    ("regions", "With a region"),
    ("none_acceptable", "None acceptable"),
    ("sent", "In adjudication"),
    ("settled", "Settled by adjudication"),
    ("gold_missed", "Gold answer missed"),
    ("bookmarked", "Bookmarked"),
)
NUMBER_MAX = 2**31 - 1
MOST_DISPUTED = "disagreement"
ADJUDICATE = "adjudicate"


class NumberFilter(Filter):
    field_class = forms.IntegerField


class CaseFilter(ListFilter):
    """All that it asks is asked of ``find_cases`` at once: a flag of the reader who is chosen."""

    show = ChoiceFilter(choices=SHOWN, empty_label="All that were read", label="Cases")
    flag = ChoiceFilter(choices=(), empty_label="Any", label="Flag")
    reader = ReaderFilter(queryset=User.objects.none(), empty_label="Anybody", label="Reader")
    number = NumberFilter(label="Case number", min_value=1, max_value=NUMBER_MAX)
    order = ChoiceFilter(
        choices=((MOST_DISPUTED, "Most disputed first"),), empty_label="By number", label="Order"
    )

    def __init__(self, *args: Any, study: Study, **options: Any) -> None:
        super().__init__(*args, **options)
        self.study = study
        flags = study.flag_kinds.order_by("position").values_list("slug", "name")
        self.filters["flag"].extra["choices"] = list(flags)
        self.filters["reader"].extra["queryset"] = study.readers.order_by("first_name", "username")

    def filter_queryset(self, queryset: "QuerySet[Case]") -> "QuerySet[Case]":
        asked = self.form.cleaned_data
        reader = asked.get("reader")
        return find_cases(
            self.study,
            show=asked.get("show") or "",
            flag=asked.get("flag") or "",
            reader=reader.pk if reader else None,
            number=asked.get("number"),
        )

    @property
    def is_by_disagreement(self) -> bool:
        return self.form.cleaned_data.get("order") == MOST_DISPUTED

    @property
    def asked(self) -> dict[str, str]:
        return {name: value for name, value in super().asked.items() if name != "order"}


class CaseList(ListPage):
    """Views that somebody keeps are the same for all studies; what a study lacks is passed over."""

    listing = "cases"
    section = "studies"
    title = "Case by case"
    of_one, of_many = "case", "cases"
    template_name = "results/cases.html"
    filterset_class = CaseFilter
    rows_a_page = 20

    @cached_property
    def study(self) -> Study:
        return study_with_results(self.kwargs["study_id"])

    def rows(self) -> "QuerySet[Any]":
        return self.study.cases.all()

    def get_filterset_kwargs(self, filterset_class: Any) -> dict[str, Any]:
        return super().get_filterset_kwargs(filterset_class) | {"study": self.study}

    def actions(self) -> Sequence[Action]:
        send = Action(slug=ADJUDICATE, label="Send to adjudication", act=self.send)
        again = Action(slug="study", label="Into a new study", act=_into_a_study)
        return (send, again) if tells_source(self.study) else (send,)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Sends without ticks, too: so many of the most disputed."""
        has_ticks = request.POST.getlist("pick") or request.POST.get("all")
        is_sent = request.POST.get("action") == ADJUDICATE
        if is_sent and not has_ticks and request.POST.get("most_disputed", "").strip("0"):
            return self.send(request, Case.objects.none())
        return super().post(request, *args, **kwargs)

    def send(self, request: HttpRequest, rows: "QuerySet[Case]") -> HttpResponseBase:
        numbers = [position + 1 for position in rows.values_list("position", flat=True)]
        form = AdjudicationForm(request.POST, study=self.study)
        try:
            if not form.is_valid():
                raise RemediableError("Nothing was sent.", remedy="Choose who shall adjudicate.")
            asked = form.request(numbers)
            sent = ask_for_adjudication(asked, self.study, sent_by=cast("User", request.user))
        except RemediableError as error:
            tell(request, error)
        else:
            names = ", ".join(reader.display_name for reader in sent.panel.readers.all())
            count = sent.cases.count()
            cases = "One case is" if count == 1 else f"{count} cases are"
            messages.success(request, f"{cases} on the work list of {names}.")
        return redirect(request.get_full_path())

    def _paginated(self, found: Any) -> Any:
        """Sorted by disagreement, the page is of numbers, which are quick to sort and to keep."""
        if self.filterset.is_by_disagreement:
            from feedback_app.results.cache import disagreements_of

            found = by_disagreement(found, disagreements_of(self.study))
        return super()._paginated(found)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        positions = [getattr(one, "position", one) for one in context["page"]]
        keys = dict(self.study.cases.filter(position__in=positions).values_list("position", "pk"))
        return context | {
            "study": self.study,
            "cases": review(self.study, [keys[position] for position in positions]),
            "tells_source": tells_source(self.study),
            "send_form": AdjudicationForm(study=self.study),
            "rounds": rounds_of(self.study),
        }


def _into_a_study(request: HttpRequest, rows: "QuerySet[Case]") -> HttpResponseBase:
    shown = CaseImage.objects.filter(case__in=rows, image__candidate__isnull=False)
    keep_picks(request, shown.order_by("case__position").values_list("image", flat=True))
    return redirect("studies:picked")


list_cases = coordinators_only(CaseList.as_view())

"""The page of a curated set: its images, which can be read again or left out by hand."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect

from feedback_app.accounts.access import coordinators_only
from feedback_app.curation.decisions import decide
from feedback_app.curation.makeup import make_up_of
from feedback_app.curation.models import CuratedSet
from feedback_app.curation.rules import Rules, most_first
from feedback_app.curation.services import begin_applying
from feedback_app.curation.wording import describe, name_means
from feedback_app.images.candidates.picks import keep_picks
from feedback_app.lists.actions import Action
from feedback_app.lists.filters import ListFilter, WordsFilter
from feedback_app.lists.pages import ListPage
from feedback_app.runs.models import Run


class ItemFilter(ListFilter):
    words = WordsFilter("candidate__recipe__prompt", label="Words of the prompt")


class SetPage(ListPage):
    listing = "curated-images"
    section = "curation"
    title = "Curated set"
    of_one, of_many = "image", "images"
    template_name = "curation/set.html"
    filterset_class = ItemFilter
    rows_a_page = 48

    @cached_property
    def curated_set(self) -> CuratedSet:
        sets = CuratedSet.objects.select_related("policy", "created_by")
        return get_object_or_404(sets, pk=self.kwargs["set_id"])

    def rows(self) -> "QuerySet[Any]":
        return self.curated_set.items.select_related("candidate__recipe__model_version")

    def actions(self) -> Sequence[Action]:
        return (
            Action(slug="study", label="Into a study", act=self.into_a_study),
            Action(slug="leave-out", label="Leave out", act=self.leave_out),
        )

    def into_a_study(self, request: HttpRequest, rows: "QuerySet[Any]") -> HttpResponseBase:
        keep_picks(request, rows.values_list("candidate", flat=True))
        return redirect("studies:picked")

    def leave_out(self, request: HttpRequest, rows: "QuerySet[Any]") -> HttpResponseBase:
        """Keeps the decision and applies the policy anew; this set stays as it is."""
        policy, person = self.curated_set.policy, request.user
        count = decide(
            policy,
            rows.values_list("candidate", flat=True),
            is_out=True,
            reason=request.POST.get("reason", ""),
            made_by=person,  # type: ignore[arg-type]
        )
        made = begin_applying(policy, person)  # type: ignore[arg-type]
        if isinstance(made, Run):
            messages.success(request, f"{count} left out by hand. This makes the set without them.")
            return redirect("runs:run", made.pk)
        messages.success(request, f"{count} left out by hand. This is the set without them.")
        return redirect("curation:set", made.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs) | describe(Rules(**self.curated_set.rules))
        return context | {
            "curated_set": self.curated_set,
            "item_count": self.curated_set.items.count(),
            "cards": [
                (item, name_means(item.mean_scores, names=context["criteria"]))
                for item in context["page"]
            ],
            "reasons": most_first(self.curated_set.refused),
            "make_up": make_up_of(self.curated_set),
        }


show_set = coordinators_only(SetPage.as_view())

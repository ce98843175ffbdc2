"""What becomes of candidates that were picked by hand: a new study, or part of a draft."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from feedback_app.accounts.access import coordinators_only
from feedback_app.images.candidates.picks import forget_picks, picks_of
from feedback_app.images.models import Candidate
from feedback_app.remedies import tell
from feedback_app.studies import services
from feedback_app.studies.change_forms import DraftForm
from generation.errors import RemediableError

SHOWN = 60


@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def show_picked(request: HttpRequest) -> HttpResponse:
    picked = picks_of(request)
    form = DraftForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        draft = form.cleaned_data["draft"]
        try:
            added = services.add_picked(draft, picked, actor=request.user)  # type: ignore[arg-type]
        except RemediableError as error:
            tell(request, error)
        else:
            forget_picks(request)
            messages.success(request, f"{added.images} candidates came in {added.cases} cases.")
            for warning in added.warnings:
                messages.warning(request, warning)
            return redirect("studies:detail", draft.pk)
    context = {
        "section": "studies",
        "form": form,
        "count": len(picked),
        "shown": Candidate.objects.filter(pk__in=picked[:SHOWN]).select_related("recipe"),
    }
    return render(request, "studies/picked.html", context)

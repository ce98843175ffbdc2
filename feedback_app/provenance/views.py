"""Pages that join everything."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_safe

from feedback_app.accounts.access import coordinators_only
from feedback_app.accounts.models import User
from feedback_app.images.models import Candidate, ModelVersion
from feedback_app.images.versions.cards import card_at
from feedback_app.provenance.lineage import differences, same_seed_images
from feedback_app.provenance.loop import new_pairs, next_step, stages
from feedback_app.runs.models import Run
from feedback_app.studies.models import Study, StudyState
from feedback_app.vlms.judging import agreement_with_readers, what_is_followed

SHOWN_RUNS = 3
SHOWN_STUDIES = 6
SHOWN_CANDIDATES = 12


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Readers go straight to their work list; coordinators see where the loop stands."""
    assert isinstance(request.user, User)
    if not request.user.is_coordinator:
        return redirect("readings:worklist")
    pairs = new_pairs()
    unfinished = Run.objects.unfinished().order_by("state", "-priority", "created_at")
    context = {
        "section": "home",
        "stages": stages(request.user, new_pairs=pairs),
        "next_step": next_step(request.user, new_pairs=pairs),
        "studies": Study.objects.filter(state=StudyState.OPEN).with_progress()[:SHOWN_STUDIES],
        "newest": Candidate.objects.for_gallery()[:SHOWN_CANDIDATES],
        "runs": list(unfinished[:SHOWN_RUNS]),
        "waiting_runs": max(0, unfinished.count() - SHOWN_RUNS),
    }
    return render(request, "provenance/home.html", context)


@require_safe
@coordinators_only
def show_model(request: HttpRequest, version_id: int) -> HttpResponse:
    """Shows one version: where it comes from, what it was shown to follow, and what readers say."""
    rows = ModelVersion.objects.with_counts().select_related("parent", "created_by")
    version = get_object_or_404(rows, pk=version_id)
    context = {
        "section": "versions",
        "version": version,
        "children": version.children.order_by("pk"),
        "judged": what_is_followed(version),
        "agreement": agreement_with_readers(version),
        "card": card_at(version.location),
    }
    return render(request, "provenance/model.html", context)


@require_safe
@coordinators_only
def models_beside(request: HttpRequest) -> HttpResponse:
    """Shows two versions side by side: how they were made, and what they make of the same seeds."""
    wanted = {number for number in request.GET.getlist("version") if number.isdecimal()}
    known = ModelVersion.objects.select_related("parent").order_by("pk")
    chosen = [version for version in known if str(version.pk) in wanted]
    context: dict[str, object] = {"section": "versions", "chosen": len(chosen)}
    if len(chosen) == 2:
        first, second = chosen
        context |= {
            "first": first,
            "second": second,
            "differences": differences(first, second),
            "sheet": same_seed_images(first, second),
        }
    return render(request, "provenance/models_beside.html", context)

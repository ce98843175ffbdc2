"""What the readings of a study say, for coordinators.

The modules behind these views bring scipy and matplotlib: they are imported when a view
is first used, since the process that serves reading pages should start without them.
"""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from feedback_app.accounts.access import coordinators_only
from feedback_app.accounts.models import User
from feedback_app.readings.adjudication.withdrawing import withdraw
from feedback_app.remedies import tell
from feedback_app.results.access import study_with_results
from feedback_app.results.cases import studies_of, tells_source
from feedback_app.results.images import image_results, places_of
from feedback_app.results.reviewed import review_image
from feedback_app.studies.models import Study
from generation.errors import RemediableError

IMAGES_A_PAGE = 40
HTTP_NO_CONTENT = 204
CONTENT_TYPES = {"svg": "image/svg+xml", "csv": "text/csv; charset=utf-8"}
BROWSER_KEEPS_S = 3_600


@require_GET
@coordinators_only
def results(request: HttpRequest, study_id: UUID) -> HttpResponse:
    """Shows the fragment of a study's page; asked again with ``seen``, only where that has
    changed.

    The table of images, which has pages of its own, follows the event ``results-changed``.
    """
    study = study_with_results(study_id)
    context = _context(study, seen=request.GET.get("seen", ""))
    if not context:
        return HttpResponse(status=HTTP_NO_CONTENT)
    if "seen" not in request.GET:
        return render(request, "results/results.html", context)
    response = render(request, "results/figures.html", context)
    response["HX-Trigger"] = "results-changed"
    return response


@require_GET
@coordinators_only
def doubts(request: HttpRequest) -> HttpResponse:
    """Shows the fragment of a form that would learn from readings: what speaks against them."""
    from feedback_app.results.doubts import doubted, studies_to_learn_from

    chosen = [key for text in request.GET.getlist("studies") if (key := _parse_key(text))]
    studies = studies_to_learn_from(
        chosen,
        snapshot=_parse_key(request.GET.get("snapshot", "")),
        simulated=request.GET.get("whose") == "simulated",
    )
    return render(request, "results/doubts.html", {"doubted": doubted(studies)})


def _parse_key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@require_GET
@coordinators_only
def calibration(request: HttpRequest, study_id: UUID) -> HttpResponse:
    """Shows each reader's training, and their agreement before and after it."""
    from feedback_app.results.calibration import calibration_of, trained_readers

    study = study_with_results(study_id)
    trained = trained_readers(study)
    context = {
        "section": "studies",
        "study": study,
        "trained": trained,
        "calibrated": calibration_of(study, trained),
    }
    return render(request, "results/calibration.html", context)


@require_GET
@coordinators_only
def results_page(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = study_with_results(study_id)
    from feedback_app.results.readings_file.columns import TABLES
    from feedback_app.results.readings_file.imrmc import has_truth
    from feedback_app.results.readings_file.pairs import has_pairs

    context = _context(study, seen="") | {
        "section": "studies",
        "files": list(TABLES),
        "has_truth": has_truth(study),
        "has_pairs": has_pairs(study),
        "tells_source": tells_source(study),
    }
    return render(request, "results/page.html", context)


def _context(study: Study, *, seen: str) -> dict[str, object]:
    """Empty where the readings are still as they were ``seen``."""
    from feedback_app.results.cache import find_figures
    from feedback_app.results.page import NUMBERS_SHOWN_MAX, page_of

    found = find_figures(study)
    if found.state == seen:
        return {}
    context = {"study": study, "state": found.state, "run": found.run}
    if found.figures is None:
        return context | {"state": ""}
    can_be_shared = study.readers_per_case > 1 or study.anchor_count > 0
    return context | {
        "results": page_of(study, found.figures, can_be_shared=can_be_shared),
        "numbers_shown_max": NUMBERS_SHOWN_MAX,
    }


@require_GET
@coordinators_only
def images(request: HttpRequest, study_id: UUID) -> HttpResponse:
    """Shows a page of the study's images; while blind they do not lead to where they come from."""
    study = study_with_results(study_id)
    page = Paginator(places_of(study), IMAGES_A_PAGE).get_page(request.GET.get("page"))
    criteria = tuple(study.criteria.all())
    shown = image_results(study, page.object_list, criteria=criteria)
    context = {
        "study": study,
        "page": page,
        "criteria": criteria,
        "images": shown,
        "has_prompts": any(image.case.prompt for image in shown),
        "tells_source": tells_source(study),
    }
    return render(request, "results/images.html", context)


@require_GET
@coordinators_only
def plot(request: HttpRequest, study_id: UUID, name: str, form: str) -> HttpResponse:
    """Shows a plot as SVG, or its numbers as CSV; ``?download`` saves it as a file."""
    from feedback_app.results.cache import find_figures, plot_content
    from feedback_app.results.plots.catalogue import plots_of

    study = study_with_results(study_id)
    found = find_figures(study)
    plots = plots_of(found.figures) if found.figures else {}
    if name not in plots or form not in CONTENT_TYPES:
        raise Http404("There is no such plot of this study.")
    content = plot_content(study, plots[name], form, state=found.state)
    response = HttpResponse(content, content_type=CONTENT_TYPES[form])
    if form == "svg":
        kept_s = BROWSER_KEEPS_S if "v" in request.GET else 0
        response["Cache-Control"] = f"private, max-age={kept_s}"
    if form == "csv" or "download" in request.GET:
        response["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response


@require_POST
@coordinators_only
def withdraw_round(request: HttpRequest, study_id: UUID, round_id: UUID) -> HttpResponse:
    """Takes back what is still open of a round of adjudication."""
    study = study_with_results(study_id)
    adjudication = get_object_or_404(study.adjudications, pk=round_id)
    try:
        count = withdraw(adjudication, actor=cast("User", request.user))
    except RemediableError as error:
        tell(request, error)
    else:
        readings = "One reading" if count == 1 else f"{count} readings"
        messages.success(request, f"{readings} of “{adjudication.panel.name}” taken back.")
    return redirect("readings:results-cases", study.pk)


@require_GET
@coordinators_only
def candidate(request: HttpRequest, image_id: UUID) -> HttpResponse:
    """Shows the part of a candidate's page that says what was said of it, in studies not blind
    now.
    """
    studies, blind = studies_of(image_id)
    context = {"studies": review_image(image_id, studies), "blind": len(blind)}
    return render(request, "results/of_candidate.html", context)


@require_GET
@coordinators_only
def readings_file(
    request: HttpRequest, study_id: UUID, name: str, form: str
) -> StreamingHttpResponse:
    """Shows a file of the study's readings as it streams from the database.

    ``?names=yes`` names readers, which is noted in the audit log; else they are pseudonyms.
    """
    from feedback_app.results.files import readings_file as answer

    return answer(
        study_with_results(study_id),
        name,
        form,
        names=request.GET.get("names") == "yes",
        actor=cast("User", request.user),
    )


@require_GET
def own(request: HttpRequest) -> HttpResponse:
    """Shows what somebody read themselves, and how it compares, as far as they may know."""
    from feedback_app.results.own import minutes_by_day, own_studies

    reader = cast("User", request.user)
    context = {
        "section": "reading",
        "studies": own_studies(reader),
        "days": minutes_by_day(reader),
    }
    return render(request, "results/own.html", context)

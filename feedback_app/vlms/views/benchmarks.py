"""The benchmark of an instruction set with models side by side, and one model's result."""

from typing import Any, cast
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from feedback_app.accounts.access import coordinators_only
from feedback_app.accounts.models import User
from feedback_app.images.blobs.places import file_of
from feedback_app.remedies import complain, tell
from feedback_app.requests import read
from feedback_app.vlms.asking import SHEET, ask_for_benchmark, bring_answers
from feedback_app.vlms.forms import AnswersForm, BenchmarkForm
from feedback_app.vlms.models import BenchmarkResult, InstructionSet
from feedback_app.vlms.requests import AnswersRequest, BenchmarkRequest
from feedback_app.vlms.tables import side_by_side
from generation.errors import RemediableError

SECTION = {"section": "vlms"}


def _set(set_id: UUID) -> InstructionSet:
    return get_object_or_404(InstructionSet.objects.exclude(benchmark={}), pk=set_id)


def _result(result_id: UUID) -> BenchmarkResult:
    rows = BenchmarkResult.objects.select_related("instruction_set", "version", "run")
    return get_object_or_404(rows, pk=result_id)


@require_safe
@coordinators_only
def show_benchmark(request: HttpRequest, set_id: UUID) -> HttpResponse:
    row = _set(set_id)
    results = row.results.select_related("version", "run").prefetch_related("scores")
    context = SECTION | {
        "row": row,
        "results": results,
        "table": side_by_side([one for one in results if one.run.state == "succeeded"]),
        "form": BenchmarkForm(),
        "answers": AnswersForm(),
    }
    return render(request, "vlms/benchmark.html", context)


@require_POST
@coordinators_only
def start(request: HttpRequest, set_id: UUID) -> HttpResponse:
    """A version answers the benchmark."""
    row, form = _set(set_id), BenchmarkForm(request.POST)
    if form.is_valid():
        try:
            asked = read(BenchmarkRequest, form.values(row))
            result = ask_for_benchmark(asked, created_by=cast("User", request.user))
        except RemediableError as error:
            tell(request, error)
        else:
            return redirect("vlms:result", result.pk)
    return redirect("vlms:benchmark", row.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def bring(request: HttpRequest, set_id: UUID) -> HttpResponse:
    """Answers of a model that runs elsewhere."""
    row = _set(set_id)
    form = AnswersForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        values = {"model": form.cleaned_data["model"], "instruction_set": row.name,
                  "answers": form.cleaned_data["file"]}  # fmt: skip
        try:
            asked = read(AnswersRequest, values)
            result = bring_answers(asked, created_by=cast("User", request.user))
        except RemediableError as error:
            complain(form, None, error)
        else:
            return redirect("vlms:result", result.pk)
    context = SECTION | {"row": row, "form": form}
    return render(request, "vlms/bring.html", context, status=400 if form.errors else 200)


@require_safe
@coordinators_only
def show_result(request: HttpRequest, result_id: UUID) -> HttpResponse:
    result = _result(result_id)
    context = SECTION | {
        "result": result,
        "run": result.run,
        "scores": result.scores.all(),
        "judged": _judged(result),
    }
    template = "_result" if request.htmx else "result"  # type: ignore[attr-defined]
    return render(request, f"vlms/{template}.html", context)


def _judged(result: BenchmarkResult) -> list[dict[str, Any]]:
    """Returns each finding with its plot; what draws it is slow to import."""
    if not result.fairness:
        return []
    from feedback_app.vlms.plots import fairness_plot

    return [one | {"plot": fairness_plot(one)} for one in result.fairness]


@require_safe
@coordinators_only
def show_fairness(request: HttpRequest, result_id: UUID, number: int) -> HttpResponse:
    result = _result(result_id)
    if number >= len(result.fairness):
        raise Http404("There is no such plot.")
    from feedback_app.vlms.plots import fairness_plot

    plot = fairness_plot(result.fairness[number])
    return HttpResponse(plot.svg(), content_type="image/svg+xml")


@require_safe
@coordinators_only
def show_picture(request: HttpRequest, result_id: UUID, number: int) -> HttpResponseBase:
    path = file_of(_result(result_id).path, f"{SHEET}/{number}.png")
    if path is None:
        raise Http404("There is no such picture.")
    return FileResponse(path.open("rb"), content_type="image/png")

from django.urls import path

from feedback_app.experiments.views import actions, pages, reports

app_name = "experiments"
urlpatterns = [
    path("", pages.list_experiments, name="list"),
    path("new/", pages.create, name="create"),
    path("preview/", pages.preview, name="preview"),
    path("<uuid:experiment_id>/", pages.show, name="experiment"),
    path("<uuid:experiment_id>/edit/", pages.edit, name="edit"),
    path("<uuid:experiment_id>/start/", actions.start, name="start"),
    path("<uuid:experiment_id>/pause/", actions.pause, name="pause"),
    path("<uuid:experiment_id>/resume/", actions.resume, name="resume"),
    path("<uuid:experiment_id>/cancel/", actions.cancel, name="cancel"),
    path("<uuid:experiment_id>/retry/", actions.retry, name="retry"),
    path("<uuid:experiment_id>/delete/", actions.delete, name="delete"),
    path("<uuid:experiment_id>/cells/<int:cell_id>/retry/", actions.retry_cell, name="retry-cell"),
    path(
        "<uuid:experiment_id>/cells/<int:cell_id>/cancel/", actions.cancel_cell, name="cancel-cell"
    ),
    path("<uuid:experiment_id>/report/", reports.report, name="report"),
    path("<uuid:experiment_id>/report.<str:form>", reports.report_to_keep, name="report-to-keep"),
    path("<uuid:experiment_id>/plots/<slug:name>.<str:form>", reports.plot, name="plot"),
]

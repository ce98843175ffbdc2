from django.urls import path

from feedback_app.vlms.drafting import views as drafting
from feedback_app.vlms.learning import gate_views, snapshot_views, teaching_views
from feedback_app.vlms.views import benchmarks, fairness, instructions, lists, training, versions

app_name = "vlms"
urlpatterns = [
    path("", lists.list_versions, name="list"),
    path("register/", versions.register, name="register"),
    path("train/", training.train, name="train"),
    path("ask/", versions.ask, name="ask"),
    path("drafts/", drafting.show_drafts, name="drafts"),
    path("questions/<uuid:question_id>/", versions.show_question, name="question"),
    path("<int:version_id>/", versions.show_version, name="version"),
    path("<int:version_id>/<str:stage>.svg", versions.show_curve, name="curve"),
    path("preferences/", snapshot_views.list_snapshots, name="report-snapshots"),
    path("preferences/new/", snapshot_views.take, name="report-snapshot-new"),
    path("preferences/<uuid:snapshot_id>/", snapshot_views.show, name="report-snapshot"),
    path("<int:version_id>/gate/", gate_views.ask, name="gate-ask"),
    path("<int:version_id>/promote/", gate_views.promote, name="promote"),
    path("back/", gate_views.back, name="back"),
    path("gates/<uuid:gate_id>/", gate_views.show, name="gate"),
    path("teach/", teaching_views.teach, name="teach"),
    path("instructions/", lists.list_sets, name="sets"),
    path("instructions/new/", instructions.create, name="set-new"),
    path("instructions/<uuid:set_id>/", instructions.show_set, name="set"),
    path("instructions/<uuid:set_id>/download", instructions.download, name="set-download"),
    path(
        "instructions/<uuid:set_id>/<int:number>.png", instructions.show_sample, name="set-sample"
    ),
    path("benchmarks/<uuid:set_id>/", benchmarks.show_benchmark, name="benchmark"),
    path("benchmarks/<uuid:set_id>/start/", benchmarks.start, name="start"),
    path("benchmarks/<uuid:set_id>/answers/", benchmarks.bring, name="bring"),
    path("results/<uuid:result_id>/", benchmarks.show_result, name="result"),
    path("results/<uuid:result_id>/<int:number>.png", benchmarks.show_picture, name="picture"),
    path("results/<uuid:result_id>/<int:number>.svg", benchmarks.show_fairness, name="fairness"),
    path(
        "groups/experiments/<uuid:experiment_id>/", fairness.of_experiment, name="experiment-groups"
    ),
    path("groups/scorers/<int:scorer_id>/", fairness.of_scorer, name="scorer-groups"),
    path("groups/<uuid:run_id>/<int:number>.svg", fairness.show_plot, name="group-plot"),
]

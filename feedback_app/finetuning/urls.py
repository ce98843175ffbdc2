from django.urls import path

from feedback_app.finetuning import views
from feedback_app.finetuning.gates import views as gates

app_name = "finetuning"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("snapshots/new/", views.snapshot_new, name="snapshot_new"),
    path("snapshots/<uuid:pk>/", views.snapshot, name="snapshot"),
    path("snapshots/<uuid:pk>/preferences.jsonl", views.snapshot_file, name="snapshot_file"),
    path("snapshots/<uuid:pk>/remarks.jsonl", views.snapshot_remarks, name="snapshot_remarks"),
    path("fine-tunes/new/", views.finetune_new, name="finetune_new"),
    path("fine-tunes/<uuid:pk>/", views.finetune, name="finetune"),
    path("fine-tunes/<uuid:pk>/curve.<str:form>", views.finetune_curve, name="finetune_curve"),
    path("gates/<uuid:gate_id>/", gates.gate, name="gate"),
    path("gates/<uuid:gate_id>/report.<str:form>", gates.gate_report, name="gate_report"),
    path("gates/<uuid:gate_id>/plots/<slug:name>.svg", gates.gate_plot, name="gate_plot"),
    path("gates/<uuid:gate_id>/study/", gates.gate_study, name="gate_study"),
    path("versions/<int:version_id>/gate/", gates.gate_start, name="gate_start"),
    path("versions/<int:version_id>/promote/", gates.promote, name="promote"),
    path("versions/back/", gates.back, name="back"),
    path("schedules/new/", views.schedule_edit, name="schedule_new"),
    path("schedules/<int:pk>/", views.schedule_edit, name="schedule"),
]

from django.urls import path

from feedback_app.finetuning import views

app_name = "finetuning"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("snapshots/new/", views.snapshot_new, name="snapshot_new"),
    path("snapshots/<uuid:pk>/", views.snapshot, name="snapshot"),
    path("snapshots/<uuid:pk>/preferences.jsonl", views.snapshot_file, name="snapshot_file"),
    path("fine-tunes/new/", views.finetune_new, name="finetune_new"),
    path("fine-tunes/<uuid:pk>/", views.finetune, name="finetune"),
    path("fine-tunes/<uuid:pk>/curve.<str:form>", views.finetune_curve, name="finetune_curve"),
    path("schedules/new/", views.schedule_edit, name="schedule_new"),
    path("schedules/<int:pk>/", views.schedule_edit, name="schedule"),
]

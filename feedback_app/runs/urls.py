from django.urls import path

from feedback_app.runs import lists, views

app_name = "runs"
urlpatterns = [
    path("", lists.list_runs, name="list"),
    path("workers/", lists.list_workers, name="workers"),
    path("<uuid:run_id>/", views.show_run, name="run"),
    path("<uuid:run_id>/progress/", views.show_progress, name="progress"),
    path("<uuid:run_id>/cancel/", views.cancel_run, name="cancel"),
    path("<uuid:run_id>/retry/", views.retry_run, name="retry"),
]

from django.urls import path

from feedback_app.operations import views
from feedback_app.operations.metrics import show_metrics

app_name = "operations"
urlpatterns = [
    path("metrics", show_metrics, name="metrics"),
    path("accounts/people/<int:person_id>/erase/", views.erase_person, name="erase-person"),
    path("cohorts/<slug:name>/erase/", views.erase_cohort, name="erase-cohort"),
]

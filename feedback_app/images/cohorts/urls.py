from django.urls import path

from feedback_app.images.cohorts import views as cohorts

urlpatterns = [
    path("cohorts/", cohorts.list_cohorts, name="cohorts"),
    path("cohorts/masks/<int:mask_id>.png", cohorts.show_mask, name="cohort-mask"),
    path("cohorts/<slug:name>/", cohorts.show_cohort, name="cohort"),
    path("cohorts/<slug:name>/skipped.csv", cohorts.download_skipped, name="cohort-skipped"),
]

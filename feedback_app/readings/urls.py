from django.urls import include, path

from feedback_app.readings import preview_views, views

app_name = "readings"
urlpatterns = [
    path("", views.worklist, name="worklist"),
    path("<uuid:slot_id>/", views.read, name="read"),
    path("<uuid:slot_id>/images/<int:place>.png", views.picture, name="picture"),
    path("<uuid:slot_id>/reference.png", views.reference, name="reference"),
    path("<uuid:slot_id>/masks/<slug:kind>.png", views.mask, name="mask"),
    path("studies/<uuid:study_id>/examples/<int:example_id>.png", views.example, name="example"),
    path("studies/<uuid:study_id>/begin/", views.begin, name="begin"),
    path("preview/<uuid:study_id>/", preview_views.room, name="preview"),
    path("preview/<uuid:study_id>/<uuid:case_id>/", preview_views.room, name="preview-case"),
    path(
        "preview/<uuid:study_id>/<uuid:case_id>/images/<int:place>.png",
        preview_views.picture,
        name="preview-picture",
    ),
    path(
        "preview/<uuid:study_id>/<uuid:case_id>/reference.png",
        preview_views.reference,
        name="preview-reference",
    ),
    path(
        "preview/<uuid:study_id>/<uuid:case_id>/masks/<slug:kind>.png",
        preview_views.mask,
        name="preview-mask",
    ),
    path("results/", include("feedback_app.results.urls")),
]

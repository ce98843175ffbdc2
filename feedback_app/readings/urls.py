from django.urls import include, path

from feedback_app.readings import views

app_name = "readings"
urlpatterns = [
    path("", views.worklist, name="worklist"),
    path("<uuid:slot_id>/", views.read, name="read"),
    path("<uuid:slot_id>/images/<int:place>.png", views.picture, name="picture"),
    path("<uuid:slot_id>/masks/<slug:kind>.png", views.mask, name="mask"),
    path("studies/<uuid:study_id>/begin/", views.begin, name="begin"),
    path("results/", include("feedback_app.results.urls")),
]

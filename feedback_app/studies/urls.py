from django.urls import path

from feedback_app.studies import views

app_name = "studies"
urlpatterns = [
    path("", views.list_studies, name="list"),
    path("new/", views.create, name="create"),
    path("preview/", views.preview, name="preview"),
    path("<uuid:study_id>/", views.detail, name="detail"),
    path("<uuid:study_id>/edit/", views.edit, name="edit"),
    path("<uuid:study_id>/open/", views.open_study, name="open"),
    path("<uuid:study_id>/close/", views.close_study, name="close"),
    path("<uuid:study_id>/reopen/", views.reopen_study, name="reopen"),
]

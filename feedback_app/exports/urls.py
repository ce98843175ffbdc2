from django.urls import path

from feedback_app.exports import views

app_name = "exports"
urlpatterns = [
    path("", views.list_exports, name="list"),
    path("new", views.create, name="create"),
    path("new-preferences", views.create_preferences, name="create_preferences"),
    path("<uuid:export_id>/", views.show, name="export"),
    path("<uuid:export_id>/download", views.download, name="download"),
]

from django.urls import path

from feedback_app.provenance import retraction_views as views

app_name = "retractions"
urlpatterns = [
    path("", views.list_retractions, name="list"),
    path("new/", views.create, name="new"),
    path("<uuid:retraction_id>/", views.show, name="show"),
    path("<uuid:retraction_id>/undo/", views.undo, name="undo"),
    path("<uuid:retraction_id>/rebuild-all/", views.rebuild_all, name="rebuild-all"),
    path("<uuid:retraction_id>/rebuild/", views.rebuild_one, name="rebuild"),
]

from django.urls import include, path

from feedback_app.provenance import lists, views

urlpatterns = [
    path("", views.home, name="home"),
    path("models/", lists.models, name="models"),
    path("models/<int:version_id>/", views.show_model, name="model"),
    path("models/beside/", views.models_beside, name="models_beside"),
    path("retractions/", include("feedback_app.provenance.retraction_urls")),
]

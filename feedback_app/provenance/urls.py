from django.urls import include, path

from feedback_app.provenance import views

urlpatterns = [
    path("", views.home, name="home"),
    path("retractions/", include("feedback_app.provenance.retraction_urls")),
]

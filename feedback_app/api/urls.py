from django.urls import include, path

from feedback_app.readings.api import CaseView, ReadingsView

app_name = "api"
urlpatterns = [
    path("studies/", include("feedback_app.studies.api_urls")),
    path("slots/<uuid:slot_id>/", CaseView.as_view(), name="slot"),
    path("slots/<uuid:slot_id>/readings/", ReadingsView.as_view(), name="readings"),
]

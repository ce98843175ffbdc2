from django.urls import path

from feedback_app.readings.api import CaseView, ReadingsView

app_name = "api"
urlpatterns = [
    path("slots/<uuid:slot_id>/", CaseView.as_view(), name="slot"),
    path("slots/<uuid:slot_id>/readings/", ReadingsView.as_view(), name="readings"),
]

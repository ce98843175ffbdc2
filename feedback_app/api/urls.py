from django.urls import include, path

from feedback_app.images import api as images
from feedback_app.readings import api as readings

app_name = "api"
urlpatterns = [
    path("studies/", include("feedback_app.studies.api_urls")),
    path("prompt-sets/", images.PromptSetsView.as_view(), name="prompt-sets"),
    path("prompt-sets/<str:name>/", images.PromptSetView.as_view(), name="prompt-set"),
    path("slots/<uuid:slot_id>/", readings.CaseView.as_view(), name="slot"),
    path("slots/<uuid:slot_id>/readings/", readings.ReadingsView.as_view(), name="readings"),
    path("slots/<uuid:slot_id>/next/", readings.NextView.as_view(), name="next"),
    path("slots/<uuid:slot_id>/heartbeat/", readings.HeartbeatView.as_view(), name="heartbeat"),
    path("slots/<uuid:slot_id>/bookmark/", readings.BookmarkView.as_view(), name="bookmark"),
    path("reading-preferences/", readings.PreferencesView.as_view(), name="reading-preferences"),
]

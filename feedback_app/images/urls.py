from django.urls import include, path

app_name = "images"
urlpatterns = [
    path("", include("feedback_app.images.cohort_urls")),
]

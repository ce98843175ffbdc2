from django.urls import path

from feedback_app.notices import views

app_name = "notices"
urlpatterns = [
    path("", views.list_notices, name="list"),
    path("count/", views.count, name="count"),
    path("read/", views.mark_read, name="mark-read"),
]

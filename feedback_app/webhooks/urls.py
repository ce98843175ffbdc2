from django.urls import path

from feedback_app.webhooks import lists, views

app_name = "webhooks"
urlpatterns = [
    path("", lists.list_webhooks, name="list"),
    path("add/", views.add, name="add"),
    path("<int:webhook_id>/", lists.show_webhook, name="webhook"),
    path("<int:webhook_id>/stop/", views.stop, name="stop"),
    path("<int:webhook_id>/resume/", views.resume, name="resume"),
    path("<int:webhook_id>/remove/", views.remove, name="remove"),
]

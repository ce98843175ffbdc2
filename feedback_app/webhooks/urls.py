from django.urls import path

from feedback_app.webhooks import views

app_name = "webhooks"
urlpatterns = [
    path("", views.list_webhooks, name="list"),
    path("<int:webhook_id>/", views.show, name="webhook"),
    path("<int:webhook_id>/stop/", views.stop, name="stop"),
    path("<int:webhook_id>/resume/", views.resume, name="resume"),
    path("deliveries/<uuid:delivery_id>/resend/", views.resend, name="resend"),
]

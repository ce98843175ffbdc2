from django.urls import path

from feedback_app.provenance import views

urlpatterns = [path("", views.home, name="home")]

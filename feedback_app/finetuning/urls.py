from django.urls import URLPattern

app_name = "finetuning"
urlpatterns: list[URLPattern] = []

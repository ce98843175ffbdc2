from django.urls import path

from feedback_app.curation import views

app_name = "curation"
urlpatterns = [
    path("", views.list_policies, name="list"),
    path("policies/new", views.create, name="create"),
    path("policies/<int:policy_id>/", views.show_policy, name="policy"),
    path("policies/<int:policy_id>/apply", views.apply, name="apply"),
    path("sets/<uuid:set_id>/", views.show_set, name="set"),
]

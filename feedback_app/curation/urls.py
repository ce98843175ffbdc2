from django.urls import path

from feedback_app.curation import set_page, views

app_name = "curation"
urlpatterns = [
    path("", views.list_policies, name="list"),
    path("policies/new", views.create, name="create"),
    path("policies/<int:policy_id>/", views.show_policy, name="policy"),
    path("policies/<int:policy_id>/apply", views.apply, name="apply"),
    path("policies/<int:policy_id>/let-in", views.let_in, name="let-in"),
    path("sets/<uuid:set_id>/", set_page.show_set, name="set"),
]

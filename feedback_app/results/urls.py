from django.urls import path

from feedback_app.results import views as results_views

urlpatterns = [
    path("", results_views.results, name="results"),
    path("page/", results_views.results_page, name="results-page"),
    path("images/", results_views.images, name="results-images"),
    path("cases/", results_views.cases, name="results-cases"),
    path("readings/<str:name>.<str:form>", results_views.readings_file, name="readings-file"),
    path("plots/<slug:name>.<str:form>", results_views.plot, name="plot"),
]

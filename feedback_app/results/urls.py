from django.urls import include, path

from feedback_app.results import case_list, comment_views
from feedback_app.results import views as results_views

OF_A_STUDY = [
    path("", results_views.results, name="results"),
    path("page/", results_views.results_page, name="results-page"),
    path("images/", results_views.images, name="results-images"),
    path("cases/", case_list.list_cases, name="results-cases"),
    path(
        "cases/rounds/<uuid:round_id>/withdraw/",
        results_views.withdraw_round,
        name="results-withdraw",
    ),
    path("readings/<str:name>.<str:form>", results_views.readings_file, name="readings-file"),
    path("calibration/", results_views.calibration, name="results-calibration"),
    path("plots/<slug:name>.<str:form>", results_views.plot, name="plot"),
]
urlpatterns = [
    path("own/", results_views.own, name="own"),
    path("doubts/", results_views.doubts, name="results-doubts"),
    path("<uuid:study_id>/", include(OF_A_STUDY)),
    path("comments/<uuid:reading_id>/", comment_views.decide_on, name="results-comment"),
    path(
        "comment-flags/<uuid:flag_id>/back/",
        comment_views.take_flag_back,
        name="results-comment-back",
    ),
    path("candidates/<uuid:image_id>/", results_views.candidate, name="results-candidate"),
]

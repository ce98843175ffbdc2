"""Every address, app by app."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", include("feedback_app.provenance.urls")),
    path("", include("feedback_app.operations.urls")),
    path("accounts/", include("feedback_app.accounts.urls")),
    path("notices/", include("feedback_app.notices.urls")),
    path("runs/", include("feedback_app.runs.urls")),
    path("", include("feedback_app.images.urls")),
    path("studies/", include("feedback_app.studies.urls")),
    path("read/", include("feedback_app.readings.urls")),
    path("learning/", include("feedback_app.finetuning.urls")),
    path("curation/", include("feedback_app.curation.urls")),
    path("exports/", include("feedback_app.exports.urls")),
    path("vlms/", include("feedback_app.vlms.urls")),
    path("webhooks/", include("feedback_app.webhooks.urls")),
    path("experiments/", include("feedback_app.experiments.urls")),
    path("api/", include("feedback_app.api.urls")),
    # One way to change one's password: the one that the audit log knows of.
    path("admin/password_change/", RedirectView.as_view(pattern_name="accounts:password")),
    # And one way in, which asks for a second factor.
    path(
        "admin/login/",
        login_not_required(RedirectView.as_view(pattern_name="accounts:login", query_string=True)),
    ),
    path("admin/", admin.site.urls),
]

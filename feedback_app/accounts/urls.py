from django.contrib.auth.views import LogoutView
from django.urls import path

from feedback_app.accounts.views import (
    audit,
    lists,
    login,
    people,
    second_factor,
    single_sign_on,
    tokens,
)

app_name = "accounts"
urlpatterns = [
    path("login/", login.PersonLoginView.as_view(), name="login"),
    path("login/code/", second_factor.ask_code, name="code"),
    path("sign-on/", single_sign_on.begin, name="sign-on"),
    path("sign-on/return/", single_sign_on.come_back, name="sign-on-return"),
    path("second-factor/", second_factor.show, name="second-factor"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", login.OwnPasswordView.as_view(), name="password"),
    path("session/", login.session, name="session"),
    path("tokens/", tokens.list_tokens, name="tokens"),
    path("tokens/<uuid:public_id>/revoke/", tokens.revoke, name="revoke-token"),
    path("people/", lists.list_people, name="people"),
    path("people/add/", people.add, name="add_person"),
    path("people/unlock/", people.unlock, name="unlock"),
    path("people/<int:person_id>/", people.show, name="person"),
    path("people/<int:person_id>/password/", people.reset_password, name="reset_password"),
    path(
        "people/<int:person_id>/second-factor/",
        people.reset_second_factor,
        name="reset-second-factor",
    ),
    path("people/<int:person_id>/sign-on/", people.forget_sign_on, name="forget-sign-on"),
    path("people/<int:person_id>/deactivate/", people.deactivate, name="deactivate"),
    path("people/<int:person_id>/reactivate/", people.reactivate, name="reactivate"),
    path("audit/", audit.show_log, name="audit"),
    path("audit/audit.csv", audit.download_log, name="audit_csv"),
]

"""The allauth pages that staff need and no others (no sign-up, e-mail or password reset), and ours."""

from allauth.account import views
from django.urls import path

from .views.joining import join
from .views.own import PasswordChange, end_session, own_environment, own_sessions, sign_out

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", sign_out, name="account_logout"),
    path("sessions/", own_sessions, name="own-sessions"),
    path("sessions/end/", end_session, name="own-sessions-end"),
    path("environment/", own_environment, name="own-environment"),
    path("join/", join, name="join"),
    path("password/", PasswordChange.as_view(), name="account_change_password"),
]

"""The pages of allauth that staff need, and no others: no sign-up, no e-mail, no reset by mail."""

from allauth.account import views
from django.urls import path

from .views import log_out

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", log_out, name="account_logout"),
    path("password/", views.password_change, name="account_change_password"),
]

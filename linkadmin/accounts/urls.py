"""The allauth pages that staff need and no others (no sign-up, e-mail or password reset), and ours."""

from allauth.account import views
from django.urls import path

from .views import factors, second_step, single_sign_on
from .views.joining import join
from .views.own import PasswordChange, end_session, own_environment, own_security, sign_out

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", sign_out, name="account_logout"),
    path("login/factor/", second_step.sign_in_factor, name="sign-in-factor"),
    path("login/passkey/", second_step.sign_in_passkey, name="sign-in-passkey"),
    path("login/passkey/options/", second_step.sign_in_passkey_options, name="sign-in-passkey-options"),
    path("single-sign-on/", single_sign_on.single_sign_on, name="single-sign-on"),
    path("single-sign-on/callback/", single_sign_on.single_sign_on_callback, name="single-sign-on-callback"),
    path("recover/", single_sign_on.recover_access, name="recover-access"),
    path("confirm/", second_step.confirm, name="confirm"),
    path("confirm/passkey/options/", second_step.confirm_passkey_options, name="confirm-passkey-options"),
    path("security/", own_security, name="own-security"),
    path("factors/new/", factors.factor_new, name="factor-new"),
    path("factors/app/", factors.add_app, name="factor-app"),
    path("factors/passkey/", factors.add_passkey, name="factor-passkey"),
    path("factors/passkey/options/", factors.passkey_options, name="factor-passkey-options"),
    path("factors/<int:pk>/remove/", factors.remove_factor, name="factor-remove"),
    path("recovery-codes/", factors.new_recovery_codes, name="recovery-codes"),
    path("sessions/end/", end_session, name="own-sessions-end"),
    path("environment/", own_environment, name="own-environment"),
    path("join/", join, name="join"),
    path("password/", PasswordChange.as_view(), name="account_change_password"),
]

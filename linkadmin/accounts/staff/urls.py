"""URLs of staff."""

from django.urls import path

from linkadmin.accounts.views import approvals, roles, single_sign_on, staff

urlpatterns = [
    path("", staff.staff_list, name="staff-list"),
    path("roles/", roles.staff_roles, name="staff-roles"),
    path("approvals/", approvals.staff_approvals, name="staff-approvals"),
    path("approvals/<uuid:pk>/", approvals.staff_approval, name="staff-approval"),
    path("new/", staff.staff_new, name="staff-new"),
    path("<uuid:pk>/", staff.staff_detail, name="staff-detail"),
    path("<uuid:pk>/invitation/", staff.staff_invite, name="staff-invite"),
    path("<uuid:pk>/invitation/mail/", staff.staff_invite_by_mail, name="staff-invite-mail"),
    path("<uuid:pk>/sessions/end/", staff.staff_end_sessions, name="staff-end-sessions"),
    path("<uuid:pk>/identity/", single_sign_on.staff_identity, name="staff-identity"),
    path("<uuid:pk>/factors/reset/", staff.staff_reset_factors, name="staff-reset-factors"),
]

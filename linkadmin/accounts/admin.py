"""Staff in the Django admin, read-only, and the admin site itself."""

from typing import Any

from allauth.account import admin as _allauth_admin  # noqa: F401 - they register what is taken back below
from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa import admin as _allauth_mfa_admin  # noqa: F401
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth import admin as _auth_admin  # noqa: F401
from django.contrib.auth.models import Group
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from linkadmin.audit.admin import ReadOnlyAdmin

from .models import User
from .views.own import sign_out

admin.site.site_title = admin.site.site_header = _("Linkadmin · Django admin")
admin.site.enable_nav_sidebar = False  # the lists are wide, and the index page links to all of them
admin.site.index_title = _("Django admin")


def _sign_in(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    # The admin checks no passwords itself.
    return redirect("admin:index")


def _own_password(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    return redirect("account_change_password")


def sign_out_of_admin(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    return sign_out(request)


def _no_autocomplete(request: HttpRequest) -> HttpResponse:
    # Django's autocomplete would list customer names, and none of our forms uses it.
    raise Http404


admin.site.autocomplete_view = _no_autocomplete  # type: ignore[method-assign]
admin.site.login = secure_admin_login(_sign_in)  # type: ignore[method-assign]
admin.site.logout = sign_out_of_admin  # type: ignore[method-assign, assignment]
admin.site.password_change = _own_password  # type: ignore[method-assign, assignment]


admin.site.unregister([Group, EmailAddress, Authenticator])  # we use none of them there


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    fields = ("username", "name", "roles", "is_active", "last_login")
    list_display = fields
    list_filter = ("roles", "is_active")
    ordering = ("username",)
    search_fields = ("username__exact",)
    search_help_text = _("A username.")

"""Staff in the Django admin, and the admin site itself."""

from typing import Any

from allauth.account import admin as _allauth_admin  # noqa: F401 - registers what is taken back below
from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from linkadmin.audit.admin import StrictAdmin
from linkadmin.audit.log import Action, ObjectType, Outcome, record

from . import sessions
from .models import User
from .views import sign_out

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


class StaffCreationForm(UserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("username", "name", "role")


class StaffChangeForm(UserChangeForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("username", "name", "role", "is_active")


class StaffPasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]
    usable_password = None  # every account has a password


admin.site.unregister([Group, EmailAddress])  # we use neither


@admin.register(User)
class UserAdmin(StrictAdmin, DjangoUserAdmin):  # type: ignore[type-arg]
    actions = None
    change_form_template = "admin/accounts/staff_change_form.html"
    add_form = StaffCreationForm
    add_fieldsets = ((None, {"fields": ("username", "name", "role", "password1", "password2")}),)
    change_password_form = StaffPasswordForm
    filter_horizontal = ()
    form = StaffChangeForm
    list_display = ("username", "name", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("username", "name")

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        fields = ("username", "name", "role", "is_active", "last_login")
        return ((None, {"fields": (*fields, "password") if self.has_change_permission(request) else fields}),)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return ("last_login", "role", "is_active") if obj == request.user else ("last_login",)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        # The audit log names people for good. Accounts are deactivated instead.
        return False

    def get_urls(self) -> list[URLPattern]:
        address = "<id>/end-sessions/"
        view = self.admin_site.admin_view(self.end_sessions)
        return [path(address, view, name="accounts_user_end_sessions"), *super().get_urls()]

    @method_decorator(require_POST)
    def end_sessions(self, request: HttpRequest, id: str) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        user = get_object_or_404(User, pk=User._meta.pk.to_python(id))
        ended = sessions.end_all(user, actor=request.user)  # type: ignore[arg-type]
        text = ngettext("%(count)d session ended.", "%(count)d sessions ended.", ended)
        messages.success(request, text % {"count": ended})
        return redirect("admin:accounts_user_change", user.pk)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        with request.session.saved_together():  # type: ignore[attr-defined]
            return super().user_change_password(request, id, form_url)

    def log_addition(self, request: HttpRequest, obj: User, message: Any) -> Any:
        self._record(request, obj, action=Action.STAFF_CREATED, details={"role": obj.role})
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: User, message: Any) -> Any:
        """Every page that changes an account ends here, within its transaction."""
        changed = [field for part in message for field in part.get("changed", {}).get("fields", [])]
        details: dict[str, str | int] = {"fields": ", ".join(changed)[:200], "role": obj.role, "active": obj.is_active}
        self._record(request, obj, action=Action.STAFF_UPDATED, details=details)
        return super().log_change(request, obj, message)

    def _record(self, request: HttpRequest, user: User, *, action: Action, details: dict[str, str | int]) -> None:
        record(
            actor=request.user,  # type: ignore[arg-type]
            action=action,
            object_type=ObjectType.STAFF,
            object_id=user.id,
            outcome=Outcome.DONE,
            details=details,
        )

"""Forms for staff accounts."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import password_validation
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import RIGHTS, Role, joined
from linkadmin.accounts.single_sign_on import people


class RolesField(forms.MultipleChoiceField):
    """Checkboxes for what is stored as one text."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self) -> None:
        super().__init__(label=_("Roles"), choices=Role.choices, help_text=_("Auditors have no other role."))

    def prepare_value(self, value: Any) -> Any:
        return [role for role in value.split(",") if role] if isinstance(value, str) else value

    def clean(self, value: Any) -> Any:
        stored = joined(super().clean(self.prepare_value(value)))
        if stored and stored not in RIGHTS:
            raise forms.ValidationError(_("An auditor can't have another role."))
        return stored

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class _StaffForm(forms.ModelForm):  # type: ignore[type-arg]
    roles = RolesField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not settings.MAIL_SERVER:
            del self.fields["email"]


class NewColleagueForm(_StaffForm):
    class Meta:
        model = User
        fields = ("name", "username", "email", "roles")
        help_texts = {"username": _("What they sign in with.")}


class ColleagueForm(_StaffForm):
    """Nobody changes their own roles or access."""

    class Meta:
        model = User
        fields = ("name", "username", "email", "roles", "is_active")

    def __init__(self, *args: Any, reader: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance == reader:
            for name in ("roles", "is_active"):
                self.fields[name].disabled = True
                self.fields[name].help_text = _("Another administrator can change this.")
        if people.signs_in_there(self.instance):
            self.fields["roles"].disabled, self.fields["roles"].required = True, False
            self.fields["roles"].help_text = _("Taken from single sign-on, whenever they sign in.")


class NewPasswordForm(forms.Form):
    username = forms.CharField(
        label=_("Username"),
        disabled=True,
        required=False,
        widget=forms.TextInput({"autocomplete": "username", "readonly": True}),
    )
    password = forms.CharField(
        label=_("New password"),
        strip=False,
        help_text=_("At least 15 characters. A few random words are easy to remember."),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["username"] = user.username
        self._user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        password_validation.validate_password(password, self._user)
        return password

"""Forms for staff accounts."""

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.utils.translation import gettext_lazy as _

from .models import User
from .roles import Role


class NewColleagueForm(forms.ModelForm):  # type: ignore[type-arg]
    role = forms.ChoiceField(label=_("Role"), choices=[("", _("Select…")), *Role.choices])

    class Meta:
        model = User
        fields = ("name", "username", "role")
        help_texts = {"username": _("What they sign in with.")}


class ColleagueForm(forms.ModelForm):  # type: ignore[type-arg]
    """Nobody changes their own role or access."""

    class Meta:
        model = User
        fields = ("name", "username", "role", "is_active")

    def __init__(self, *args: Any, reader: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance == reader:
            for name in ("role", "is_active"):
                self.fields[name].disabled = True
                self.fields[name].help_text = _("Another administrator can change this.")


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

"""Forms for second factors, and for confirming who somebody is. Each counts its attempts before it checks anything."""

import json
from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts import limits
from linkadmin.accounts.models import User

from . import authenticator_apps, codes, passkeys


class CodeInput(forms.TextInput):
    """Never redraws what was typed."""

    def __init__(self, **attrs: str) -> None:
        super().__init__({"autocomplete": "one-time-code", "spellcheck": "false", "autocapitalize": "none", **attrs})

    def format_value(self, value: object) -> None:
        return None


class SecondFactorForm(forms.Form):
    """`factor` is the kind that was proved."""

    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        widget=CodeInput,
        help_text=_("From your authenticator app, or a recovery code."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user
        self.factor = ""

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        self.factor = codes.check(self._user, code)
        return code


class ConfirmationForm(forms.Form):
    """Password and, for those who have a second factor, a code."""

    password = forms.CharField(
        label=_("Password"), strip=False, widget=forms.PasswordInput({"autocomplete": "current-password"})
    )
    code = SecondFactorForm.base_fields["code"]

    def __init__(self, *args: Any, request: HttpRequest, user: User, needs_code: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request, self._user = request, user
        self.factor = ""
        if not needs_code:
            del self.fields["code"]

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if authenticate(self._request, username=self._user.username, password=password) != self._user:
            raise ValidationError(_("Wrong password."))
        return password

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if "password" in self.cleaned_data:  # a wrong one uses no code up
            self.factor = codes.check(self._user, code)
        return code


class PasskeyForm(forms.Form):
    credential = forms.CharField(max_length=20_000, widget=forms.HiddenInput)

    def clean_credential(self) -> dict[str, Any]:
        try:
            response = json.loads(self.cleaned_data["credential"])
        except (ValueError, RecursionError):
            response = None
        if not isinstance(response, dict):
            raise ValidationError("not an object")  # only for the log
        return response


class PasskeyConfirmForm(PasskeyForm):
    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user

    def clean_credential(self) -> dict[str, Any]:
        response = super().clean_credential()
        attempt = limits.count_factor(self._user)
        try:
            passkeys.check(self._user, response)
        except passkeys.InvalidResponse:
            raise ValidationError(_("This passkey wasn't accepted. Try again, or use your password.")) from None
        attempt.succeeded()
        return response


class NewPasskeyForm(PasskeyForm):
    name = forms.CharField(
        label=_("Name"), max_length=60, required=False, help_text=_("Where you keep it, such as your phone.")
    )
    field_order = ("name", "credential")


class NewAppForm(forms.Form):
    key = forms.CharField(widget=forms.HiddenInput)
    code = forms.CharField(label=_("Code from the app"), max_length=20, widget=CodeInput(inputmode="numeric"))

    def __init__(self, *args: Any, offer: authenticator_apps.OfferedKey, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["key"] = offer.encrypted

"""Forms for an endpoint: a new signing secret, which is never shown again, and confirmations."""

from typing import Any

from django import forms
from django.core.exceptions import BadRequest
from django.core.validators import RegexValidator
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from linkadmin.integrations.texts import translated
from linkadmin.providers.names import clean_name, isolated
from linkadmin.providers.types import CredentialField, Secret
from linkadmin.web.secret_input import SecretInput


class AfterForm(forms.Form):
    """The latest secret's version when the form was shown, so that a form sent twice adds one secret."""

    after = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    @classmethod
    def sent(cls, posted: QueryDict) -> int:
        form = cls(posted)
        if not form.is_valid():
            raise BadRequest("a form without its version")
        return int(form.cleaned_data["after"])


class SecretForm(AfterForm):
    """One signing secret, in the field the provider declares."""

    def __init__(self, *args: Any, asked: CredentialField, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = translated(asked)
        self.fields["secret"] = forms.CharField(
            label=asked.label,
            max_length=asked.max_length or 500,
            help_text=asked.help_text,
            validators=[RegexValidator(asked.pattern, asked.pattern_message)] if asked.pattern else [],
            widget=SecretInput(asked.label, placeholder=asked.placeholder),
        )

    def clean_secret(self) -> Secret:
        return Secret(self.cleaned_data["secret"])


class ConfirmForm(forms.Form):
    """A text to type before something that can't be undone."""

    mistyped = _("This doesn't match. Nothing was changed.")
    typed = forms.CharField(max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}))

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected
        self.fields["typed"].widget.attrs["data-expected"] = expected
        self.fields["typed"].label = _("Type “%(word)s” to confirm") % {"word": isolated(expected)}

    def clean_typed(self) -> str:
        if clean_name(self.cleaned_data["typed"]) != self.expected:
            raise forms.ValidationError(self.mistyped)
        return self.expected

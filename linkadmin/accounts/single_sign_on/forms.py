"""Forms for an account's identity, and for a code from the host. Codes are counted before they're checked."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts import limits, sessions
from linkadmin.accounts.factors.forms import CodeInput
from linkadmin.accounts.models import User

from . import people, recovery
from .provider import MAX_ID

_TAKEN = _("This ID belongs to another account.")


class IdentityForm(forms.Form):
    subject = forms.CharField(
        label=_("ID at the identity provider"),
        max_length=MAX_ID,
        required=False,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
        help_text=_("The value of “sub” in this person's ID tokens. Leave it empty to end single sign-on for them."),
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._person = person
        self.initial["subject"] = people.subject_of(person)

    def clean_subject(self) -> str:
        subject: str = self.cleaned_data["subject"]
        if subject and people.is_taken(subject, by_other_than=self._person):
            raise ValidationError(_TAKEN)
        return subject

    def link(self, *, by: User) -> bool:
        """False if another account has got the ID meanwhile."""
        try:
            if self.has_changed():
                people.link(self._person, self.cleaned_data["subject"], by=by)
        except people.Taken:
            self.add_error("subject", _TAKEN)
            return False
        return True


class RecoveryForm(forms.Form):
    """`person` is whose code it was."""

    code = forms.CharField(label=_("Code"), max_length=300, widget=CodeInput(autocomplete="off"))
    person: User

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request = request

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        attempt = limits.count_unnamed(self._request)
        person = recovery.use(code)
        if person is None:
            sessions.record_rejected(None)
            raise ValidationError(_("This code can't be used. Each works once, for 15 minutes."))
        attempt.succeeded()
        self.person = person
        return code

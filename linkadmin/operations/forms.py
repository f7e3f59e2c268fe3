"""One form for every provider and bank: drawn from the fields they ask for. Secrets are taken in and never shown."""

import hashlib
from collections.abc import Sequence
from typing import Any

import regex
from django import forms
from django.utils.translation import gettext_lazy as _

from linkadmin.links.models import EndUser, Link
from linkadmin.operations.models import PendingChallenge
from linkadmin.providers.types import ChallengeKind, Choice, CredentialField, Secret, Value

from .fields import DrawnForm, OnceForm, OneWayTextInput

SEPARATORS = regex.compile(r"[\s\-\u2010-\u2015]")  # what groups the digits of a code
CUSTOMER_ID = regex.compile(r"[A-Za-z0-9_.:=@+-]+")
PATTERN_SECONDS = 0.05  # a bank's pattern is foreign input: it may not cost more than this


class ProviderForm(OnceForm, DrawnForm):
    """The fields a provider asks for, sent once."""

    may_be_empty = False  # whether there is something to send even if nothing is filled in

    def clean(self) -> dict[str, Any]:
        """Check the bank's patterns and wrap every secret before anything else can see it."""
        for name, field in self.asked.items():
            value = self.cleaned_data.get(name)
            if value and (message := self._mismatch(field, value)):
                self.add_error(name, message)
            if value and field.needs and not self.cleaned_data.get(field.needs):
                self.add_error(field.needs, _("Needed together with “%(other)s”.") % {"other": field.label})
        if not self.errors and self.asked and not self.may_be_empty and not self.typed():
            self.add_error(None, _("Nothing is filled in, so there is nothing to send."))
        for name, field in self.asked.items():
            if field.secret and name in self.cleaned_data:
                self.cleaned_data[name] = Secret(self.cleaned_data[name])
        return self.cleaned_data

    def typed(self) -> dict[str, Value]:
        """Return what was filled in, by the provider's field names."""
        filled = {name: self.cleaned_data[name] for name in self.asked if self.cleaned_data.get(name)}
        return {name: tuple(value) if isinstance(value, list) else value for name, value in filled.items()}

    def refuse(self, errors: dict[str, str]) -> None:
        """Say at the fields what the provider refused there; the page tells above the form what else it said."""
        for name, words in errors.items():
            if name in self.fields:
                self.add_error(name, words)
            else:
                self.add_error(None, f"{name}: {words}" if name else words)

    def _mismatch(self, field: CredentialField, value: str) -> str:
        pattern, message = field.pattern, field.pattern_message
        chosen = self._choice_that_governs(field)
        if chosen and chosen.pattern:
            pattern, message = chosen.pattern, chosen.pattern_message
        if not pattern or _matches(pattern, value):
            return ""
        return message or str(_("The bank expects another form of this value."))

    def _choice_that_governs(self, field: CredentialField) -> Choice | None:
        for other in self.asked.values():
            if other.governs == field.name:
                chosen = self.cleaned_data.get(other.name)
                return next((choice for choice in other.choices if choice.value == chosen), None)
        return None


class NewLinkForm(ProviderForm):
    """A customer, picked by id or made here, and the provider's own fields."""

    end_user_id = forms.CharField(
        label=_("Customer id"),
        max_length=140,
        help_text=_("Your own id of this customer."),
        widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    end_user_name = forms.CharField(
        label=_("Customer name"),
        max_length=128,
        required=False,
        help_text=_("Needed for a new customer only."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    bank_name = forms.CharField(
        label=_("Bank"),
        max_length=120,
        required=False,
        help_text=_("For your own lists; this provider is not told."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    second_link = forms.BooleanField(
        label=_("Create a second link at this bank all the same"), required=False, widget=forms.HiddenInput
    )

    def __init__(self, *args: Any, ask_bank: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not ask_bank:
            del self.fields["bank_name"]

    def clean_end_user_id(self) -> str:
        """Providers put this id into addresses, so it is held to what is safe there."""
        typed = str(self.cleaned_data["end_user_id"]).strip()
        if not CUSTOMER_ID.fullmatch(typed):
            raise forms.ValidationError(_("Only letters, digits and _ . : = @ + - can be used."))
        return typed

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.known = EndUser.objects.filter(external_id=cleaned.get("end_user_id", "")).first()
        name = cleaned.get("end_user_name", "").strip()
        if self.known and name and name.casefold() != self.known.name.casefold():
            self.add_error(
                "end_user_name",
                _("This id belongs to %(name)s. Correct the id, or leave the name empty.") % {"name": self.known},
            )
        if not self.known and not name and "end_user_id" in cleaned:
            self.add_error("end_user_name", _("No customer has this id yet: give the name of the new one."))
        return cleaned

    def end_user(self) -> EndUser:
        """Return the customer of the link; one that does not exist yet is kept with the operation."""
        cleaned = self.cleaned_data
        return self.known or EndUser(external_id=cleaned["end_user_id"], name=cleaned["end_user_name"].strip())

    def natural_key(self) -> str:
        """Return the id the link will have at the provider, where it is typed and not given by the provider."""
        return next((str(self.cleaned_data[name]) for name, field in self.asked.items() if field.identifies), "")

    def offer_second_link(self) -> None:
        self.fields["second_link"].widget = forms.CheckboxInput()


class ActForm(ProviderForm):
    """What a provider lets be said about an act; most of it is left as it is."""

    may_be_empty = True


class RemovalForm(ActForm):
    """A removal: what it is of, typed once more, and why."""

    confirmation = forms.CharField(
        label=_("Type the customer id or the id of the link"),
        max_length=200,
        help_text=_("So that it is surely this one."),
        widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        help_text=_("Kept in the records; no passwords or codes."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, link: Link, going: Sequence[Link], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._confirms = {link.end_user.external_id, link.remote_id, str(link.pk)}
        # Beside the list that the reader sees: what is confirmed is this list and no other.
        self.mark = hashlib.sha256(" ".join(sorted(str(each.pk) for each in going)).encode()).hexdigest()

    def clean(self) -> dict[str, Any]:
        if self.data.get("mark") != self.mark:
            self.add_error(None, _("What goes with this link has changed since you opened the page. Look once more."))
        return super().clean()

    def clean_confirmation(self) -> str:
        typed = str(self.cleaned_data["confirmation"]).strip()
        if typed not in self._confirms:
            raise forms.ValidationError(_("This is neither this customer's id nor that of this link."))
        return typed


class TokenForm(forms.Form):
    """The one-time code, where the bank expects one."""

    operation_key = forms.UUIDField(widget=forms.HiddenInput)
    challenge = forms.UUIDField(widget=forms.HiddenInput)
    token = forms.CharField(
        label=_("One-time code"),
        max_length=60,
        error_messages={"required": _("Type the code the customer reads to you.")},
        widget=OneWayTextInput(
            attrs={
                "class": "code-input",
                "data-code": "",
                "inputmode": "numeric",
                "autocomplete": "off",
                "autofocus": True,
                "spellcheck": "false",
            }
        ),
    )

    def __init__(self, *args: Any, asked: PendingChallenge, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        token = self.fields["token"]
        if not asked.expects_input:
            del self.fields["token"]
        elif asked.kind == ChallengeKind.TEXT:
            token.label = _("The customer's answer")
            # It may be words: no keyboard of digits, and no space is taken out.
            token.widget.attrs = {"class": "code-input", "autocomplete": "off", "autofocus": True}

    def clean_token(self) -> Secret:
        """People paste "482 193" and "482-193"; banks want 482193. An answer in words stays as it is."""
        typed = str(self.cleaned_data["token"]).strip()
        bare = SEPARATORS.sub("", typed)
        return Secret(bare if bare.isdecimal() else typed)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        help_text=_("Kept in the records; no passwords or codes."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class DecisionForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("What happened"),
        choices=[("done", _("It was done")), ("not_done", _("It was not done"))],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=_("How you know"),
        max_length=500,
        help_text=_("Kept in the records; no passwords or codes."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def _matches(pattern: str, value: str) -> bool:
    """Try a bank's pattern. One that is broken or takes too long decides nothing: the bank itself will."""
    try:
        return regex.search(pattern, value, timeout=PATTERN_SECONDS) is not None
    except (regex.error, TimeoutError):
        return True

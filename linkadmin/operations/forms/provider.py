"""One form for every provider and bank, built from their fields. Secrets are never rendered."""

import hashlib
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from linkadmin.integrations.texts import translated
from linkadmin.links.models import EndUser, Link
from linkadmin.operations.link_updates import links_that_go
from linkadmin.operations.models import PendingChallenge
from linkadmin.providers.names import LONGEST_CUSTOMER_ID, clean_name, folded, is_customer_id, isolated
from linkadmin.providers.types import ChallengeKind, Choice, Cleaning, CredentialField, Secret, Value

from .fields import DrawnForm, OnceForm, OneWayTextInput, TypedField
from .patterns import mismatch


class ProviderForm(OnceForm, DrawnForm):
    may_be_empty = False  # whether an empty form can be sent
    not_stored = frozenset({"operation_key"})  # new for each form

    def clean(self) -> dict[str, Any]:
        # Secrets are wrapped before other code can see them.
        for name, field in self.asked.items():
            value = self.cleaned_data.get(name)
            if value and (message := self._mismatch(field, value)):
                self.add_error(name, message)
            if value and field.needs and not self.cleaned_data.get(field.needs):
                self.add_error(field.needs, _("Required if “%(other)s” is filled in.") % {"other": field.label})
        if not self.errors and self.asked and not self.may_be_empty and not self.typed():
            self.add_error(None, _("All fields are blank, so there's nothing to send."))
        for name, field in self.asked.items():
            if field.secret and name in self.cleaned_data:
                self.cleaned_data[name] = Secret(self.cleaned_data[name])
        return self.cleaned_data

    def typed(self) -> dict[str, Value]:
        filled = {name: self.cleaned_data[name] for name in self.asked if self.cleaned_data.get(name)}
        return {name: tuple(value) if isinstance(value, list) else value for name, value in filled.items()}

    def typed_in_the_open(self) -> list[tuple[str, str]]:
        """Non-secret values by name, as the browser sent them; empty for an empty choice."""
        sent = QueryDict(mutable=True)
        sent.update(self.data)
        secret = {name for name, field in self.asked.items() if field.secret}
        names = [name for name in self.fields if name not in self.not_stored | secret]
        return [(name, value) for name in names for value in sent.getlist(name) or [""]]

    def add_provider_errors(self, errors: dict[str, str]) -> None:
        for name, words in errors.items():
            if name in self.fields:
                self.add_error(name, words)
            else:
                self.add_error(None, f"{name}: {words}" if name else words)

    def _mismatch(self, field: CredentialField, value: str) -> str:
        chosen = self._choice_that_governs(field)
        rule = chosen if chosen and chosen.pattern else field
        return mismatch(rule.pattern, rule.pattern_message, value)

    def _choice_that_governs(self, field: CredentialField) -> Choice | None:
        for other in self.asked.values():
            if other.governs == field.name:
                chosen = self.cleaned_data.get(other.name)
                return next((choice for choice in other.choices if choice.value == chosen), None)
        return None


class NewLinkForm(ProviderForm):
    """A new link: its customer, existing or new, and the provider's fields."""

    not_stored = ProviderForm.not_stored | {"second_link"}

    end_user_id = forms.CharField(
        label=_("Customer ID"),
        max_length=LONGEST_CUSTOMER_ID,
        strip=False,
        help_text=_("Our own ID for this customer."),
        widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    end_user_name = forms.CharField(
        label=_("Customer name"),
        max_length=128,
        required=False,
        help_text=_("Only needed for a new customer."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    bank_name = forms.CharField(
        label=_("Institution"),
        max_length=120,
        required=False,
        help_text=_("Only for our own lists; we don't send it to this provider."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    second_link = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, ask_bank: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not ask_bank:
            del self.fields["bank_name"]

    def clean_end_user_id(self) -> str:
        # Byte for byte, except for spaces around an unknown ID: they come from copying.
        typed = str(self.cleaned_data["end_user_id"])
        exact = typed if EndUser.objects.filter(external_id=typed).exists() else typed.strip()
        if not exact:
            raise forms.ValidationError(self.fields["end_user_id"].error_messages["required"])
        if not is_customer_id(exact):
            raise forms.ValidationError(_("This ID contains characters we can't store."))
        return exact

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.known = EndUser.objects.filter(external_id=cleaned.get("end_user_id", "")).first()
        name = cleaned["end_user_name"] = clean_name(cleaned.get("end_user_name", ""))
        if self.known and name and folded(name) != folded(self.known.name):
            self.add_error(
                "end_user_name",
                _("This ID belongs to %(name)s. Correct the ID, or leave the name blank.")
                % {"name": isolated(self.known.called(see_names=True))},
            )
        if not self.known and not name and "end_user_id" in cleaned:
            self.add_error("end_user_name", _("No customer has this ID yet. Enter the new customer's name."))
        return cleaned

    def end_user(self) -> EndUser:
        """A new customer is unsaved: the operation saves them."""
        cleaned = self.cleaned_data
        return self.known or EndUser(external_id=cleaned["end_user_id"], name=cleaned["end_user_name"])

    def natural_key(self) -> str:
        """The ID the link will have at the provider; empty if the provider chooses it."""
        return next((str(self.cleaned_data[name]) for name, field in self.asked.items() if field.identifies), "")


class ChangeForm(ProviderForm):
    """A change with optional fields."""

    may_be_empty = True

    def __init__(self, *args: Any, link: Link, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.link = link


class FilledForm(ChangeForm):
    """A change that needs at least one value."""

    may_be_empty = False


class RemovalForm(ChangeForm):
    """A removal: its ID typed again, and a reason."""

    not_stored = ChangeForm.not_stored | {"confirmation"}

    confirmation = forms.CharField(
        label=_("Type the customer ID or the link ID"),
        max_length=200,
        help_text=_("This confirms it's the right one."),
        widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        help_text=_("Stored in the audit log. Don't enter passwords or codes."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Submitted with the list on the page: only that list is confirmed.
        going = " ".join(sorted(str(each.pk) for each in links_that_go(self.link)))
        self.mark = hashlib.sha256(going.encode()).hexdigest()
        self.names = [self.link.end_user.external_id.strip(), self.link.remote_id.strip(), str(self.link.pk)]
        self.fields["confirmation"].widget.attrs["data-expected"] = "\n".join(self.names)

    def clean(self) -> dict[str, Any]:
        if self.data.get("mark") != self.mark:
            self.add_error(None, _("The affected links have changed since you opened this page. Review them again."))
        return super().clean()

    def clean_confirmation(self) -> str:
        typed = str(self.cleaned_data["confirmation"]).strip()
        if typed not in self.names:
            raise forms.ValidationError(_("This is neither the customer ID nor the link ID."))
        return typed


class CodeForm(forms.Form):
    """The one-time code, or the answer to the bank's question; nothing where no input is expected."""

    operation_key = forms.UUIDField(widget=forms.HiddenInput)
    challenge = forms.UUIDField(widget=forms.HiddenInput)
    as_typed = forms.BooleanField(label=_("Send anyway"), required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, asked: PendingChallenge, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._code: CredentialField | None = None
        if not asked.expects_input:
            return
        is_answer = asked.kind == ChallengeKind.TEXT
        operation = asked.operation
        # The institution's code field doesn't apply to an answer.
        code = None if is_answer else operation.integration.provider_class.code_field(operation.institution)
        self._code = translated(code) if code else None
        self.fields["code"] = _answer_field() if is_answer else _code_field(self._code)

    def clean_code(self) -> str:
        typed = str(self.cleaned_data["code"])
        if not typed.strip():
            raise forms.ValidationError(self.fields["code"].error_messages["required"])
        return typed

    def clean(self) -> dict[str, Any]:
        # The institution's pattern may be outdated, so a second submit skips it.
        typed, code = self.cleaned_data.get("code"), self._code
        message = mismatch(code.pattern, code.pattern_message, typed) if code and typed else ""
        if message and not self.cleaned_data.get("as_typed"):
            self.add_error("code", message)
            self.fields["as_typed"].widget = forms.CheckboxInput()
        if "code" in self.cleaned_data:
            self.cleaned_data["code"] = Secret(self.cleaned_data["code"])
        return self.cleaned_data


def _answer_field() -> TypedField:
    # An answer may be words, a date or an account number, so it's sent exactly as typed.
    return TypedField(
        label=_("Customer's answer"),
        cleaning=Cleaning.AS_TYPED,
        error_messages={"required": _("Enter the customer's answer.")},
        widget=OneWayTextInput(attrs=_CODE_ATTRIBUTES),
    )


def _code_field(institutions: CredentialField | None) -> TypedField:
    # Most codes are numbers, some are URLs.
    attrs: dict[str, Any] = dict(_CODE_ATTRIBUTES)
    if institutions is None or institutions.is_number:
        attrs |= {"data-code": "", "inputmode": "numeric"}
    if institutions and institutions.placeholder:
        attrs["placeholder"] = institutions.placeholder
    return TypedField(
        label=institutions.label if institutions else _("One-time code"),
        cleaning=Cleaning.CODE,
        error_messages={"required": _("Enter the code the customer reads to you.")},
        widget=OneWayTextInput(attrs=attrs),
    )


_CODE_ATTRIBUTES: dict[str, Any] = {
    "class": "code-input",
    "autocomplete": "off",
    "autocapitalize": "off",
    "autofocus": True,
    "spellcheck": "false",
}


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        help_text=_("Stored in the audit log. Don't enter passwords or codes."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class DecisionForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("What happened?"),
        choices=[("done", _("It went through")), ("not_done", _("It didn't"))],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=_("How do you know?"),
        max_length=500,
        help_text=_("Stored in the audit log. Don't enter passwords or codes."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

"""Forms for provider records: filters, and changes to subscriptions and data sources."""

import json
from collections.abc import Iterable
from typing import Any, Self

from django import forms
from django.core.exceptions import BadRequest
from django.core.validators import RegexValidator, URLValidator
from django.http import QueryDict
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from linkadmin.operations.changes.account import NO, YES
from linkadmin.operations.forms.fields import DrawnForm, OnceForm
from linkadmin.providers.records import Filters
from linkadmin.providers.types import CredentialField
from linkadmin.webhooks.forms import ConfirmForm


class RecordFilterForm(DrawnForm):
    """Filters of a provider list. Sent in a POST body, since one may be a customer's name."""

    def __init__(self, *args: Any, asked: Iterable[CredentialField], **kwargs: Any) -> None:
        super().__init__(*args, asked=asked, **kwargs)
        for field in self.asked.values():
            if field.pattern:
                self.fields[field.name].validators.append(RegexValidator(field.pattern, field.pattern_message))

    @classmethod
    def of(cls, asked: tuple[CredentialField, ...], posted: QueryDict) -> "RecordFilterForm":
        return cls(posted if any(field.name in posted for field in asked) else None, asked=asked)

    @property
    def can_ask(self) -> bool:
        if self.is_bound:
            return self.is_valid()
        return not any(field.required for field in self.asked.values())

    def filters(self) -> Filters:
        if not self.is_bound:
            return {}
        typed = {name: self.cleaned_data.get(name) for name in self.asked}
        return {name: tuple(value) if isinstance(value, list) else value for name, value in typed.items() if value}

    def kept(self) -> tuple[tuple[str, str], ...]:
        """Return the fields that a form repeats to ask the same again."""
        if not isinstance(self.data, QueryDict):
            return ()
        return tuple((name, value) for name in self.asked for value in self.data.getlist(name))


class WebhookForm(OnceForm):
    """A subscription to one topic."""

    topic = forms.ChoiceField(label=_("Topic"))
    url = forms.CharField(
        label=_("URL"),
        max_length=500,
        help_text=_("Where to send the webhooks: a URL that starts with https://"),
        validators=[URLValidator(schemes=["https"], message=_("Enter a URL that starts with https://."))],
        widget=forms.URLInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, topics: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        topic = self.fields["topic"]
        assert isinstance(topic, forms.ChoiceField)  # noqa: S101 - for the types
        topic.choices = [(each, each) for each in topics]


class SwitchForm(OnceForm):
    """Turns something on or off that a page of ours listed."""

    enabled = forms.ChoiceField(choices=[(YES, YES), (NO, NO)], widget=forms.HiddenInput)
    mark = forms.CharField(max_length=64, widget=forms.HiddenInput)

    @classmethod
    def listed(cls, *facts: object, enabled: bool, **now: str) -> Self:
        """Return the form beside a listed thing, which `facts` identify: it toggles the current setting."""
        switched = {"enabled": NO if enabled else YES, "mark": _mark_of(*facts)}
        return cls(initial=switched | now, auto_id=False)

    def require_listed(self, *facts: object) -> None:
        """Raise BadRequest unless a page of ours listed a thing with exactly these facts."""
        if not constant_time_compare(self.cleaned_data["mark"], _mark_of(*facts)):
            raise BadRequest("a thing that was not listed so")


def _mark_of(*facts: object) -> str:
    text = json.dumps([str(fact) for fact in facts])
    return salted_hmac("linkadmin.sync.mark", text, algorithm="sha256").hexdigest()


class WebhookSwitchForm(SwitchForm):
    """A subscription as it is now, to be paused or resumed."""

    topic = forms.CharField(max_length=200, widget=forms.HiddenInput)
    url = forms.CharField(max_length=500, widget=forms.HiddenInput)


class TypedForm(ConfirmForm, OnceForm):
    """A name to type before something with a wide effect."""

    mistyped = _("This doesn't match the name. Nothing was sent.")

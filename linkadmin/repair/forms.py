"""What staff choose for a repair request."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from linkadmin.links.models import Language, RepairRequest
from linkadmin.providers.errors import InvalidInput, NewConnectionNeeded
from linkadmin.providers.types import Secret
from linkadmin.web.flat_select import FlatSelect
from linkadmin.web.secret_input import SecretInput

from .requests import NewRequest
from .sessions import WrongToken

LONGEST_MESSAGE = 1000
LIVES = (
    (1, gettext_lazy("1 hour")),
    (24, gettext_lazy("24 hours")),
    (72, gettext_lazy("3 days")),
    (168, gettext_lazy("7 days")),
)


class RepairRequestForm(forms.Form):
    channel = forms.ChoiceField()  # drawn as the buttons
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=Language.choices, widget=FlatSelect)
    life = forms.TypedChoiceField(
        label=gettext_lazy("Valid for"), choices=LIVES, coerce=lambda hours: timedelta(hours=int(hours)), initial=24
    )
    text = forms.CharField(
        label=gettext_lazy("Message"),
        max_length=LONGEST_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy("The link and until when it works are added at the end. Don't name the customer."),
        error_messages={"required": gettext_lazy("Enter a message.")},
    )
    reason = forms.CharField(
        label=gettext_lazy("Why another message so soon?"),
        max_length=200,
        error_messages={"required": gettext_lazy("Enter a reason.")},
    )

    access_token = forms.CharField(
        label=gettext_lazy("Access token of this link"),
        max_length=500,
        widget=SecretInput("access token", placeholder="access-…"),
        help_text=gettext_lazy("Creates the customer's page. Sent to the provider once. Never stored here."),
        error_messages={"required": gettext_lazy("Enter the access token.")},
    )

    def __init__(
        self,
        *args: Any,
        channels: Sequence[RepairRequest.Channel],
        needs_reason: bool,
        needs_token: bool,
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self.fields["channel"].choices = [(each.value, each.label) for each in channels]  # type: ignore[attr-defined]
        if not needs_token:
            del self.fields["access_token"]
        if not needs_reason:
            del self.fields["reason"]

    def clean_access_token(self) -> Secret:
        return Secret(self.cleaned_data["access_token"].strip())

    def note_no_page(self, error: Exception) -> None:
        """Say why no page could be created for the customer."""
        if isinstance(error, NewConnectionNeeded):
            words = _("This link can't be repaired. The customer has to connect again as a new connection.")
            self.add_error(None, words)
        elif isinstance(error, WrongToken):
            self.add_error("access_token", _("This access token is for another link."))
        elif isinstance(error, InvalidInput):
            self.add_error("access_token", _("The provider rejected this access token."))
        else:
            words = _("The provider didn't create a page for the customer. Nothing was sent. Try again later.")
            self.add_error(None, words)

    def message(self) -> NewRequest:
        chosen = self.cleaned_data
        return NewRequest(
            channel=RepairRequest.Channel(chosen["channel"]),
            language=chosen["language"],
            text=chosen["text"],
            life=chosen["life"],
            reason=chosen.get("reason", ""),
        )

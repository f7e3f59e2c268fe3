"""What staff choose for a repair request."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from linkadmin.links.models import Language
from linkadmin.web.flat_select import FlatSelect

LONGEST_MESSAGE = 1000
LIVES = (
    (1, gettext_lazy("1 hour")),
    (24, gettext_lazy("24 hours")),
    (72, gettext_lazy("3 days")),
    (168, gettext_lazy("7 days")),
)


class RepairRequestForm(forms.Form):
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

    def __init__(self, *args: Any, needs_reason: bool, **more: Any) -> None:
        super().__init__(*args, **more)
        if not needs_reason:
            del self.fields["reason"]

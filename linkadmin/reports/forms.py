"""Why somebody's limit is lifted."""

from django import forms
from django.utils.translation import gettext_lazy as _


class LiftForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        help_text=_("Shown with the person's limits. Don't enter customer names."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

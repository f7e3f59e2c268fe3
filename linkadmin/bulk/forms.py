"""What is asked for before links are handed over or noted about."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts.models import User
from linkadmin.links.forms import NoteForm, OwnerField
from linkadmin.links.owners import possible_owners

from .models import JobKind


class NewOwnerForm(forms.Form):
    owner = OwnerField(label=_("New owner"), queryset=User.objects.none(), empty_label=_("Choose"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["owner"]
        assert isinstance(field, OwnerField)  # noqa: S101 - for the types
        field.queryset = possible_owners()


FORMS: dict[JobKind, type[forms.Form]] = {JobKind.ASSIGN: NewOwnerForm, JobKind.NOTE: NoteForm}

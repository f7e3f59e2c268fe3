"""What is asked for before links are handed over or noted about."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts.models import User
from linkadmin.links.assignees import possible_assignees
from linkadmin.links.forms import AssigneeField, NoteForm

from .models import JobKind


class NewAssigneeForm(forms.Form):
    assignee = AssigneeField(label=_("New owner"), queryset=User.objects.none(), empty_label=_("Choose"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["assignee"]
        assert isinstance(field, AssigneeField)  # noqa: S101 - for the types
        field.queryset = possible_assignees()


FORMS: dict[JobKind, type[forms.Form]] = {JobKind.ASSIGN: NewAssigneeForm, JobKind.NOTE: NoteForm}

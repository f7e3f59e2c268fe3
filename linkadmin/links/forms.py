"""Forms for what staff record about a link: a note and an assignee."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from linkadmin.accounts.models import User
from linkadmin.providers.names import isolated
from linkadmin.web.flat_select import FlatSelect

from .models import Link
from .staff_work import LONGEST_NOTE, possible_assignees


class NoteForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("Note"),
        widget=forms.Textarea(attrs={"rows": 3, "maxlength": LONGEST_NOTE}),
        help_text=gettext_lazy("For colleagues. Never enter a password, code, or key."),
        error_messages={"required": gettext_lazy("Enter a note.")},
    )

    def clean_text(self) -> str:
        # Count line ends as browsers do: they send two characters each.
        text: str = self.cleaned_data["text"].replace("\r\n", "\n")
        if len(text) > LONGEST_NOTE:
            raise ValidationError(_("At most %(count)d characters.") % {"count": LONGEST_NOTE})
        return text


class AssigneeField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Staff to choose from, with the reader marked."""

    reader: User | None = None

    def label_from_instance(self, obj: Any) -> str:
        if self.reader is not None and obj.pk == self.reader.pk:
            return _("Me (%(name)s)") % {"name": isolated(obj.display_name)}
        return str(obj.display_name)


class AssigneeForm(forms.Form):
    """A link's new assignee. Contains the assignee at the time the form was drawn."""

    assignee = AssigneeField(
        label=gettext_lazy("Assignee"),
        queryset=User.objects.none(),
        required=False,
        empty_label=gettext_lazy("Unassigned"),
        widget=FlatSelect,
    )
    was = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | None = None, *, link: Link, reader: User) -> None:
        super().__init__(data, initial={"assignee": link.assignee_id, "was": link.assignee_id})
        field = self.fields["assignee"]
        assert isinstance(field, AssigneeField)  # noqa: S101 - for the types
        field.reader = reader
        # An inactive assignee stays selectable until someone takes over.
        field.queryset = possible_assignees()
        if link.assignee_id:
            field.queryset |= User.objects.filter(pk=link.assignee_id)

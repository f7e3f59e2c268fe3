"""Forms for what staff record: notes, assignees of links, and account managers of customers."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.providers.names import isolated
from linkadmin.web.flat_select import FlatSelect

from .listing.known import STAFF
from .models import EndUser, Language, Link
from .staff_work import LONGEST_NOTE, possible_assignees

PHONE = re.compile(r"\+[1-9][0-9]{6,14}")  # E.164
PHONE_MARKS = re.compile(r"[\s().\-/\u2010-\u2015]")


class NoteForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("Note"),
        widget=forms.Textarea(
            attrs={"rows": 1, "maxlength": LONGEST_NOTE, "placeholder": gettext_lazy("Add a note for your team…")}
        ),
        help_text=gettext_lazy("For colleagues. Never enter a password, code, or key."),
        error_messages={"required": gettext_lazy("Enter a note.")},
    )

    def clean_text(self) -> str:
        # Count line ends as browsers do: they send two characters each.
        text: str = self.cleaned_data["text"].replace("\r\n", "\n")
        if len(text) > LONGEST_NOTE:
            raise ValidationError(_("At most %(count)d characters.") % {"count": LONGEST_NOTE})
        return text


class ShowNameForm(forms.Form):
    """Reasons are choices: the audit log holds no typed text, which could name somebody."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Why do you need the name?"),
        choices=[
            ("complaint", gettext_lazy("A customer's complaint")),
            ("request", gettext_lazy("A request from a court or regulator")),
            ("misuse", gettext_lazy("Suspected misuse")),
            ("sample", gettext_lazy("A sample check")),
        ],
        widget=forms.RadioSelect,
    )


class AssigneeField(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return str(obj.display_name)


class HandoverForm(forms.Form):
    """Who takes over. Also has who it was when the form was drawn."""

    was = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | None, *, name: str, current: UUID | None, reader: User) -> None:
        super().__init__(data, initial={name: current, "was": current})
        field = self.fields[name]
        assert isinstance(field, AssigneeField)  # noqa: S101 - for the types
        # Somebody inactive stays selectable until a colleague takes over.
        if data is not None:
            field.queryset = possible_assignees()
            if current:
                field.queryset |= User.objects.filter(pk=current)
        field.widget.choices = [("", field.empty_label), *_labels(current, reader)]


class AssigneeForm(HandoverForm):
    assignee = AssigneeField(
        label=gettext_lazy("Assignee"),
        queryset=User.objects.none(),
        required=False,
        empty_label=gettext_lazy("Unassigned"),
        widget=FlatSelect,
    )

    def __init__(self, data: QueryDict | None = None, *, link: Link, reader: User) -> None:
        super().__init__(data, name="assignee", current=link.assignee_id, reader=reader)
        self.fields["assignee"].widget.attrs["autofocus"] = True


class AccountManagerForm(HandoverForm):
    account_manager = AssigneeField(
        label=gettext_lazy("Account manager"),
        queryset=User.objects.none(),
        required=False,
        empty_label=gettext_lazy("No account manager"),
        widget=FlatSelect,
    )

    def __init__(self, data: QueryDict | None = None, *, customer: EndUser, reader: User) -> None:
        super().__init__(data, name="account_manager", current=customer.account_manager_id, reader=reader)
        self.fields["account_manager"].widget.attrs["autofocus"] = True


class ContactForm(forms.Form):
    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        required=False,
        max_length=254,
        error_messages={"invalid": gettext_lazy("Enter a whole e-mail address, like name@example.com.")},
    )
    phone = forms.CharField(
        label=gettext_lazy("Phone"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
        help_text=gettext_lazy("With the country code, like +52 55 1234 5678."),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        required=False,
        choices=[("", gettext_lazy("Not set")), *Language.choices],
        widget=FlatSelect,
    )

    def clean_phone(self) -> str:
        phone = PHONE_MARKS.sub("", self.cleaned_data["phone"])
        if phone and not PHONE.fullmatch(phone):
            raise ValidationError(_("Enter the number with + and its country code, like +52 55 1234 5678."))
        return phone


def _labels(current: UUID | None, reader: User) -> Iterator[tuple[str, str]]:
    """Staff to choose from, with the reader marked."""
    for pk, person in STAFF.all(*filter(None, [current])).items():
        if pk == reader.pk:
            yield str(pk), _("Me (%(name)s)") % {"name": isolated(person.display_name)}
        elif may(person, Right.REFRESH) or pk == current:
            yield str(pk), person.display_name

"""Form inputs for the fields a provider declares. Secrets go in and are never rendered."""

import uuid
from collections.abc import Iterable
from typing import Any, Self

from django import forms
from django.core.exceptions import BadRequest
from django.core.validators import MaxLengthValidator
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from linkadmin.integrations.texts import translated
from linkadmin.providers.types import Cleaning, CredentialField, FieldKind
from linkadmin.web.secret_input import SecretInput

from .typed_values import CLEANERS

# Characters of a typed value and of a pasted file. No maxlength in HTML: browsers truncate silently.
MAX_LENGTH = 8_000
MAX_FILE_LENGTH = 100_000


class OneWayMixin:
    """A widget that never renders its value."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, None, attrs)  # type: ignore[misc, no-any-return]


class OneWayTextInput(OneWayMixin, forms.TextInput):
    """One line, such as a code."""


class OneWayTextarea(OneWayMixin, forms.Textarea):
    """Several lines, such as a certificate."""


class TypedField(forms.CharField):
    """A text of any length that a bank may request, cleaned by its type."""

    def __init__(self, *, cleaning: Cleaning, longest: int = MAX_LENGTH, **kwargs: Any) -> None:
        super().__init__(strip=False, validators=[MaxLengthValidator(longest)], **kwargs)
        self._clean = CLEANERS[cleaning]

    def to_python(self, value: Any) -> str:
        return self._clean(super().to_python(value) or "")


class DrawnForm(forms.Form):
    """A provider's fields, with the rarely needed ones apart."""

    def __init__(self, *args: Any, asked: Iterable[CredentialField], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = {field.name: translated(field) for field in asked}
        for field in self.asked.values():
            self.fields[field.name] = form_field(field)

    def main_fields(self) -> list[forms.BoundField]:
        return [self[name] for name, field in self.asked.items() if not field.advanced]

    def advanced_fields(self) -> list[forms.BoundField]:
        return [self[name] for name, field in self.asked.items() if field.advanced]

    @property
    def asks_for_secret(self) -> bool:
        return any(field.secret for field in self.asked.values())

    @property
    def shows_advanced(self) -> bool:
        return any(each.errors or each.data or self.initial.get(each.name) for each in self.advanced_fields())


class OnceForm(forms.Form):
    """A form whose key makes two submits one operation."""

    operation_key = forms.UUIDField(widget=forms.HiddenInput, error_messages={"required": _("Reopen the form.")})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("operation_key", uuid.uuid4())

    @classmethod
    def sent(cls, posted: QueryDict) -> Self:
        form = cls(posted)
        if not form.is_valid():
            raise BadRequest("a form that this page does not have")
        return form

    @property
    def key(self) -> uuid.UUID:
        key: uuid.UUID = self.cleaned_data["operation_key"]
        return key

    def again(self) -> Self:
        """Replace the key, so that the next submit is a new operation."""
        data = QueryDict(mutable=True)  # keeps multiple values of a name
        data.update(self.data)
        data["operation_key"] = str(uuid.uuid4())
        self.data = data
        return self


def form_field(asked: CredentialField) -> forms.Field:
    shared: dict[str, Any] = {
        "label": asked.label,
        "required": asked.required,
        "help_text": asked.help_text,
        "initial": asked.initial or None,
    }
    if asked.kind is FieldKind.SELECT:
        empty = [] if asked.required and asked.initial else [("", _("Select…"))]
        return forms.ChoiceField(choices=[*empty, *((item.value, item.label) for item in asked.choices)], **shared)
    if asked.kind is FieldKind.MANY:
        offered = [(item.value, item.label) for item in asked.choices]
        return forms.MultipleChoiceField(choices=offered, widget=forms.CheckboxSelectMultiple, **shared)
    longest = MAX_FILE_LENGTH if asked.kind is FieldKind.FILE_TEXT else MAX_LENGTH
    cleaning = asked.cleaning if asked.secret else Cleaning.TRIMMED
    limit = asked.max_length or None  # for the provider's own IDs, not for values of a bank
    return TypedField(cleaning=cleaning, longest=longest, max_length=limit, widget=_widget(asked), **shared)


def _widget(asked: CredentialField) -> forms.Widget:
    attrs = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
    if asked.placeholder:
        attrs["placeholder"] = asked.placeholder
    if asked.is_number:
        attrs["inputmode"] = "numeric"
    if asked.kind is FieldKind.PASSWORD:
        return SecretInput(asked.label, **attrs)
    if asked.kind is FieldKind.FILE_TEXT:
        return OneWayTextarea(attrs=attrs | {"rows": 4, "class": "mono"})
    if asked.secret:
        return OneWayTextInput(attrs=attrs)
    return forms.TextInput(attrs=attrs | ({"class": "mono"} if asked.identifies else {}))

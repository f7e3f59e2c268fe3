"""The inputs of a form, made from the fields that a provider declares. Secrets go in and never come out again."""

from typing import Any

from django import forms

from linkadmin.providers.types import CredentialField, FieldKind

MAX_LENGTH = 200  # characters of a typed value, unless the field is a pasted file
MAX_FILE_LENGTH = 20_000


class OneWayMixin:
    """A widget whose value goes in and never comes out again."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, None, attrs)  # type: ignore[misc, no-any-return]


class OneWayTextInput(OneWayMixin, forms.TextInput):
    pass


class OneWayTextarea(OneWayMixin, forms.Textarea):
    pass


def form_field(asked: CredentialField) -> forms.Field:
    """Return the form's field for one input of a provider's."""
    shared: dict[str, Any] = {
        "label": asked.label,
        "required": asked.required,
        "help_text": asked.help_text,
        "initial": asked.initial or None,
    }
    if asked.kind is FieldKind.SELECT:
        empty = [] if asked.required and asked.initial else [("", "—")]
        return forms.ChoiceField(choices=[*empty, *((item.value, item.label) for item in asked.choices)], **shared)
    if asked.kind is FieldKind.MANY:
        offered = [(item.value, item.label) for item in asked.choices]
        return forms.MultipleChoiceField(choices=offered, widget=forms.CheckboxSelectMultiple, **shared)
    limit = MAX_FILE_LENGTH if asked.kind is FieldKind.FILE_TEXT else asked.max_length or MAX_LENGTH
    # A password may begin or end with a space.
    return forms.CharField(widget=_widget(asked), max_length=limit, strip=not asked.secret, **shared)


def _widget(asked: CredentialField) -> forms.Widget:
    attrs = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
    if asked.placeholder:
        attrs["placeholder"] = asked.placeholder
    if asked.kind is FieldKind.PASSWORD:
        return forms.PasswordInput(attrs=attrs)
    if asked.kind is FieldKind.FILE_TEXT:
        return OneWayTextarea(attrs=attrs | {"rows": 4, "class": "mono"})
    if asked.secret:
        return OneWayTextInput(attrs=attrs)
    return forms.TextInput(attrs=attrs | ({"class": "mono"} if asked.identifies else {}))

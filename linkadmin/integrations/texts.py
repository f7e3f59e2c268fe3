"""Translates what providers declare for forms."""

from dataclasses import replace

from django.utils.translation import gettext as _

from linkadmin.providers.types import CredentialField


def translated(field: CredentialField) -> CredentialField:
    # An institution's own labels aren't in the catalog, so they stay as received.
    return replace(
        field,
        label=_(field.label),
        help_text=_(field.help_text),
        pattern_message=_(field.pattern_message),
        choices=tuple(
            replace(choice, label=_(choice.label), pattern_message=_(choice.pattern_message))
            for choice in field.choices
        ),
    )

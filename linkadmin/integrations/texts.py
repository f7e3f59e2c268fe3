"""What providers declare for forms, in the reader's language."""

from dataclasses import replace

from django.utils.translation import gettext as _

from linkadmin.providers.types import CredentialField


def translated(field: CredentialField) -> CredentialField:
    """Return the field with every text translated; an institution's own labels stay as it sent them."""
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

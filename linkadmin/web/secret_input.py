"""Input for secrets: never redraws what was typed, and its button names what it shows."""

from typing import Any

from django import forms


class SecretInput(forms.PasswordInput):
    def __init__(self, label: str, **attrs: Any) -> None:
        name = label if label[1:2].isupper() else label[:1].lower() + label[1:]
        super().__init__({"autocomplete": "off", "spellcheck": "false", "data-shows": name, **attrs})

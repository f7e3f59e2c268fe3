"""A select whose options are one flat part: Django renders two templates for each. Without groups."""

from typing import Any

from django import forms
from django.forms.renderers import BaseRenderer
from django.forms.utils import flatatt
from django.utils.html import format_html

from .flat_parts import FlatPart

_OPTION = FlatPart("partials/_option.html")


class FlatSelect(forms.Select):
    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: BaseRenderer | None = None
    ) -> Any:
        chosen, attributes = {*self.format_value(value)}, flatatt(self.build_attrs(self.attrs, attrs))
        shown = [(str(choice), label) for choice, label in self.choices]
        options = _OPTION.fill({"value": each, "label": label, "selected": each in chosen} for each, label in shown)
        return format_html('<select name="{}"{}>{}</select>', name, attributes, options)

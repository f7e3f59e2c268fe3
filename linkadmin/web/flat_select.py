"""A select whose options are one flat part: Django renders two templates for each."""

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
        widget = self.get_context(name, value, attrs)["widget"]
        options = (option for _group, options, _index in widget["optgroups"] for option in options)
        shown = ({**option, "value": str(option["value"])} for option in options)
        return format_html('<select name="{}"{}>{}</select>', name, flatatt(widget["attrs"]), _OPTION.fill(shown))

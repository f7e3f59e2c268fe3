"""Flat parts draw what Django's engine draws, and refuse what they can't."""

import pytest
from django.template import Context, Engine
from django.utils import translation
from django.utils.html import format_html
from django.utils.safestring import SafeString

from linkadmin.web.flat_parts import GAP, FlatPart, fill_gaps

ROW = {"name": "<Ana> & {0} %s", "url": "", "note": "two", "icon": format_html("<i>{}</i>", "&")}
PART = '{# Part #}{% load i18n %}<li title="{% translate "50% off" %}">100% {{ icon }}{{ name }}' + (
    '{x}{% if url %}<a href="{{ url }}">{% elif note %}{{ note }}{% else %}-{% endif %}'
)


def part(text: str, monkeypatch: pytest.MonkeyPatch) -> FlatPart:
    loaders = [("django.template.loaders.locmem.Loader", {"part.html": text})]
    engine = Engine(loaders=loaders, libraries={"i18n": "django.templatetags.i18n"})
    monkeypatch.setattr(Engine, "get_default", staticmethod(lambda: engine))
    return FlatPart("part.html")


@pytest.mark.parametrize("more", [{}, {"url": "/x?a=1&b=2"}, {"note": ""}])
def test_part_looks_as_if_rendered(more: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    row = ROW | more
    flat = part(PART, monkeypatch)

    drawn = flat.fill([row, ROW])

    template = Engine.get_default().get_template("part.html")
    assert drawn == template.render(Context(row)) + template.render(Context(ROW))
    assert "<Ana>" not in drawn


@pytest.mark.parametrize(
    "text",
    ["{{ name|upper }}", "{{ row.name }}", "{% if name == note %}{% endif %}", "{% for x in name %}{% endfor %}"],
)
def test_what_needs_an_engine_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TypeError):
        part(text, monkeypatch).fill([ROW])


def test_texts_are_translated_for_each_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    flat = part('{% load i18n %}{% translate "Yes" %} {{ name }}', monkeypatch)

    drawn = flat.fill([ROW | {"name": "1"}])
    with translation.override("es"):
        drawn += flat.fill([ROW | {"name": "2"}])

    assert drawn == "Yes 1Sí 2"


def test_gaps_are_filled_in_order_and_escaped() -> None:
    drawn = f"<b>{GAP}</b><i>{GAP}</i>"

    assert fill_gaps(drawn, [1, "<u>"]) == "<b>1</b><i>&lt;u&gt;</i>"
    assert isinstance(fill_gaps(drawn, ["", ""]), SafeString)
    with pytest.raises(ValueError, match="zip"):
        fill_gaps(drawn, [1])

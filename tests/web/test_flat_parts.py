"""Flat parts draw what Django's engine draws, and refuse what they can't."""

import pytest
from django.template import Context, Engine

from linkadmin.web.flat_parts import FlatPart

ROW = {"name": "<Ana> & {0}", "url": "", "note": "two"}
PART = '{# Part #}<li>{{ name }} {x}{% if url %}<a href="{{ url }}">{% elif note %}{{ note }}{% else %}-{% endif %}'


def part(text: str, monkeypatch: pytest.MonkeyPatch) -> FlatPart:
    engine = Engine(loaders=[("django.template.loaders.locmem.Loader", {"part.html": text})])
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

"""What a reader sees in a response, and the forms a browser would submit from it."""

import html
import re
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser

from django.http import HttpResponse

VOID = {"input", "img", "br", "meta", "link", "hr", "progress"}


@dataclass
class Element:
    """A tag with its attributes, and the form it's in."""

    tag: str
    attrs: dict[str, str]
    form: "Form | None" = None


@dataclass
class Form:
    attrs: dict[str, str]
    values: dict[str, str] = field(default_factory=dict)  # what a browser would submit if nobody typed anything
    names: set[str] = field(default_factory=set)  # of all inputs

    @property
    def action(self) -> str:
        return self.attrs.get("action", "")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._select = ""
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(named)
            self.forms.append(self._form)
        self.elements.append(Element(tag, named, self._form))
        if self._form is None:
            return
        name = named.get("name", "")
        if name:
            self._form.names.add(name)
        if tag == "input" and name and named.get("type") not in ("checkbox", "radio", "submit"):
            self._form.values[name] = named.get("value", "")
        elif tag == "textarea" and name:
            self._form.values[name], self._area = "", name
        elif tag == "select":
            self._select = name
        elif tag == "option" and ("selected" in named or self._select not in self._form.values):
            self._form.values[self._select] = named.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._form is not None and self._area:
            self._form.values[self._area] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        self._area = ""
        if tag == "form":
            self._form = None


@dataclass
class Page:
    """A parsed response."""

    status: int
    headers: dict[str, str]
    source: str

    @cached_property
    def _reader(self) -> _Reader:
        reader = _Reader()
        reader.feed(self.source)
        return reader

    @property
    def elements(self) -> list[Element]:
        return self._reader.elements

    @property
    def forms(self) -> list[Form]:
        return self._reader.forms

    @property
    def location(self) -> str:
        """Where the browser is redirected, over HTTP or by htmx."""
        return self.headers.get("location") or self.headers.get("hx-redirect", "")

    @cached_property
    def words(self) -> str:
        """All text of the main part, without direction marks."""
        main = re.search(r"<main.*?</main>", self.source, re.DOTALL)
        text = re.sub(r"</?bdi\b[^>]*>|[\u2068\u2069]", "", main[0] if main else self.source)
        text = re.sub(r"<[^>]*>", " ", text)
        return re.sub(r"\s+", " ", html.unescape(text)).strip()

    @property
    def is_whole(self) -> bool:
        return "<html" in self.source

    def form_with(self, *names: str) -> Form:
        """The form that has these inputs and submits a change; without names, the first such form."""
        fits = [form for form in self.forms if set(names) <= form.names and form.attrs.get("method") == "post"]
        own = [form for form in fits if "operation_key" in form.names or names]
        assert own, f"no form with {names}: {self.words[:600]}"
        return own[-1]

    def inputs(self) -> dict[str, dict[str, str]]:
        """Attributes of every named input, select and text area."""
        found = [each for each in self.elements if each.tag in ("input", "select", "textarea")]
        return {each.attrs["name"]: each.attrs for each in found if "name" in each.attrs}

    def error_at(self, name: str) -> str:
        found = re.search(rf'id="id_{name}_error">(.*?)</p>', self.source, re.DOTALL)
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", "", found[1]))).strip() if found else ""

    def links(self) -> list[str]:
        return [each.attrs["href"] for each in self.elements if each.tag == "a" and "href" in each.attrs]


def read(response: HttpResponse) -> Page:
    """Parse a response. Tags are parsed when a test asks for them."""
    headers = {name.lower(): value for name, value in response.items()}
    return Page(response.status_code, headers, response.content.decode())

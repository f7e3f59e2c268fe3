"""What no template may contain, and what every rendered page must contain."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from django.conf import settings
from django.template import Context, Template
from django.template.loader import get_template
from django.urls import URLResolver, get_resolver

from linkadmin.web.page_parts import ADDED

from .bulk.helpers import completed, draft_job, started_job
from .environment import Environment
from .markup import Element, Page
from .webhooks.webhook_sender import deliver, heron_webhook, open_endpoint, signed, stored_delivery

ROOT = settings.BASE_DIR / "templates"
TEMPLATES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.html"))
CODE_ROOT = settings.BASE_DIR / "linkadmin"
CODE = sorted(CODE_ROOT.rglob("*.py"))

FORBIDDEN = {
    "text marked as safe": r"\|\s*safe|mark_safe|autoescape off|\{%\s*safe",
    "a script of htmx's own": r"hx-on|hx-vals=.?js:|\bjs:|hx-vars",
    "an inline style": r"<[^>]*\sstyle\s*=|<style",
    "an inline handler": r"<[^>]*\son[a-z]+\s*=",
    "an inline script": r"<script(?![^>]*\bsrc=)",
    "an unquoted attribute": r"<[a-zA-Z][\w-]*(?:\s+[\w:-]+(?:=(?:\"[^\"]*\"|'[^']*'))?)*\s+[\w:-]+=[^\"'\s>]",
    "an event filter": r"hx-trigger=(\"[^\"]*\[(?!type=)[^\"]*\"|'[^']*\[(?!type=)[^']*')",
    "a URL of another host": r"(?:src|href|action)=\"(?:https?:)?//",
    "an address of ours written out": r"(?:src|href|action|hx-[a-z]+)=\"(?:/(?!/)|\{\{[^}]*\}\}[^\"?#]*/)",
    "a comment for every reader": r"<!--",
    "a customer's name, masked for nobody": r"\{\{[^}]*\.end_user(?:\.name)?\s*[|}]",
}
WRITTEN_ONCE = {  # markup, and its only place: all other pages use that part or tag
    'class="alert ': ["partials/_alert.html"],
    'class="crumbs"': ["partials/_crumbs.html"],
    'class="empty"': ["partials/_empty.html"],
    "data-elapsed-since": ["partials/_elapsed.html"],
    '<div class="search"': ["partials/_search.html"],
    'class="page-head': ["partials/_page_head.html"],
    'class="panel__head"': ["partials/_panel_head.html"],
    # A running clock, and rows that are filled many times a page; other times are drawn by tags.
    "<time": [
        "links/_customer_row.html",
        "links/_row.html",
        "operations/_countdown.html",
        "operations/_timeline_entry.html",
        "partials/_time.html",
    ],
    "×": [],  # a line that breaks at it reads badly
}
CONTRACTS = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
PACKAGES = [layer.removeprefix("linkadmin.") for layer in reversed(CONTRACTS[0]["layers"])]  # bottom up
FOLDERS = {
    "account": "accounts",
    "change_list_results.html": "audit",  # of the Django admin, whose lists are made there
    "staff": "accounts",
    "allauth": "accounts",
}  # of templates that aren't named after their package
FRAME = {  # surrounds every page, so it links to pages of all packages
    "400.html",
    "403.html",
    "404.html",
    "500.html",
    "base.html",
    "partials/_audit_alerts.html",
    "partials/_brand.html",
    "partials/_live_here.html",
    "partials/_live.html",
}
WRITTEN_OUT = {  # our URLs in code, each for a reason
    ("demo/__main__.py", "/healthz/"): "asks from outside, before Django is set up",
    ("accounts/middleware.py", "/live/"): "the suffix of URLs that open pages poll",
    ("settings.py", "/csp-reports/"): "is read before there are addresses",
}


def source_of(template: Path) -> str:
    """A template's text without comments. A tag within a tag becomes a word."""
    text = re.sub(r"\{#.*?#\}", "", (ROOT / template).read_text(), flags=re.DOTALL)
    return re.sub(r"\{%.*?%\}|\{\{.*?\}\}", lambda found: found[0].replace(">", "").replace("<", ""), text)


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_template_contains(what: str) -> None:
    # Django's tags may contain quotes and equals signs.
    plain = {name: re.sub(r"\{%.*?%\}", "", source_of(name)) for name in TEMPLATES}

    found = {str(name): re.findall(FORBIDDEN[what], text) for name, text in plain.items()}

    assert {name: hits for name, hits in found.items() if hits} == {}


@pytest.mark.parametrize("markup", WRITTEN_ONCE)
def test_part_of_a_page_is_written_once(markup: str) -> None:
    assert [str(name) for name in TEMPLATES if markup in source_of(name)] == WRITTEN_ONCE[markup]


def test_parts_take_names_as_text_and_blocks_as_markup() -> None:
    block = "<i>{{ name }}</i>"
    parts = ('alert "warn" title=name', "crumbs name", "markup as lead", "page_head name lead=lead")
    page = "".join(f"{{% {part} %}}{block}{{% end{part.split()[0]} %}}" for part in parts)

    drawn = Template(page).render(Context({"name": "<b>"}))

    assert drawn.count("<i>&lt;b&gt;</i>") == 4
    assert drawn.count("&lt;b&gt;") == 7
    assert "<b>" not in drawn


def test_only_tags_of_a_word_or_two_write_html_in_code() -> None:
    found = {str(path.relative_to(CODE_ROOT)) for path in CODE if "format_html" in path.read_text()}

    assert found == {
        "audit/admin.py",
        "links/templatetags/names.py",
        "web/flat_select.py",
        "web/icons.py",
        "web/page_parts.py",
    }


def test_only_flat_parts_which_escape_all_values_mark_text_as_safe() -> None:
    found = [path.name for path in CODE if re.search(r"mark_safe|SafeString|SafeText|\bhx-on", path.read_text())]

    assert found == ["flat_parts.py"]


def test_forbidden_things_would_be_found() -> None:
    samples = {
        "text marked as safe": "{{ words|safe }}",
        "a script of htmx's own": '<a hx-on:click="x()">',
        "an inline style": '<p class="a" style="color: red">',
        "an inline handler": '<a href="#" onclick="x()">',
        "an inline script": "<script>x()</script>",
        "an unquoted attribute": "<a class=x>",
        "an event filter": '<a hx-trigger="click[ctrlKey]">',
        "a URL of another host": '<img src="//evil.example/x.png">',
        "an address of ours written out": '<a href="{{ link.get_absolute_url }}history/">',
        "a comment for every reader": "<!-- x -->",
        "a customer's name, masked for nobody": "<b>{{ link.end_user }}</b>",
    }

    assert {what for what, sample in samples.items() if re.search(FORBIDDEN[what], sample)} == set(FORBIDDEN)


def test_no_template_or_tag_uses_a_higher_package() -> None:
    templates = {str(name): (package_of(str(name)), ROOT / name) for name in TEMPLATES}
    tags = {str(path): (path.parts[-3], path) for path in CODE if path.parts[-2] == "templatetags"}
    found = {name: above(package, owners(path.read_text())) for name, (package, path) in (templates | tags).items()}

    assert {name: named for name, named in found.items() if named and name not in FRAME} == {}
    assert {name for name in FRAME if not found[name]} == set()


def test_use_of_a_higher_package_would_be_found() -> None:
    text = (
        """{% load i18n record_words %}{% url "bulk-list" %}{% url 'link-list' %}{% include "webhooks/_rows.html" %}"""
    )

    assert above("links", owners(text)) == {"record_words", "bulk-list", "webhooks/_rows.html"}
    assert above("links", owners('reverse("operation-detail", args=[1])')) == {"operation-detail"}
    assert above("accounts", owners('{% url "admin:integrations_integration_changelist" %}')) == {
        "admin:integrations_integration_changelist"
    }


def test_every_slot_of_a_page_is_filled_and_no_other() -> None:
    named = {place for name in TEMPLATES for place in re.findall(r"\{% parts \"([\w-]+)\"", source_of(name))}

    assert named == set(ADDED)


def test_no_code_hardcodes_our_urls() -> None:
    tops = get_resolver().url_patterns
    patterns = (each for top in tops for each in ([top] if str(top.pattern) else top.url_patterns))
    firsts = {str(pattern.pattern).split("/")[0] for pattern in patterns}
    own = {"providers", "simulator"}  # have URLs of their own
    files = {str(path.relative_to(settings.BASE_DIR / "linkadmin")): path for path in CODE}
    texts = [
        (name, node.value)
        for name, path in files.items()
        if name.split("/")[0] not in own
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    found = {(name, text) for name, text in texts if re.match(r"/[\w-]+/", text) and text.split("/")[1] in firsts}

    assert found == set(WRITTEN_OUT)


def package_of(template: str) -> str:
    folder = template.removeprefix("admin/").split("/")[0]
    return FOLDERS.get(folder, folder)


def above(package: str, named: dict[str, str]) -> set[str]:
    """What a package above this one owns. Parts shared by all are below every package."""
    height = {name: number for number, name in enumerate(PACKAGES)}
    return {name for name, owner in named.items() if height.get(owner, -1) > height.get(package, -1)}


def owners(text: str) -> dict[str, str]:
    """The package of each page, template and tag library that a template or module names."""
    tags = {path.stem: path.parts[-3] for path in CODE if path.parts[-2] == "templatetags"}
    pages = {
        pattern.name: resolver.urlconf_module.__name__.split(".")[1]
        for resolver in get_resolver().url_patterns
        if isinstance(resolver, URLResolver) and resolver.namespace is None
        for pattern in resolver.url_patterns
    }
    loaded = {word for names in re.findall(r"\{%\s*load ([^%]+)%\}", text) for word in names.split()}
    quoted = set(re.findall(r"""["']([\w/:.-]+)["']""", text))
    return (
        {name: tags[name] for name in loaded if name in tags}
        | {name: pages[name] for name in quoted if name in pages}
        | {name: name[6:].split("_")[0] for name in quoted if name.startswith("admin:")}
        | {name: package_of(name) for name in quoted if name.endswith(".html")}
    )


@pytest.mark.parametrize("template", [str(path) for path in TEMPLATES])
def test_template_can_be_read(template: str) -> None:
    get_template(template)


def test_pages_whose_buttons_search_again_have_the_form_for_it() -> None:
    texts = {str(name): (ROOT / name).read_text() for name in TEMPLATES}
    buttons = {name for name, text in texts.items() if 'form="search-again"' in text}
    pages = [text for text in texts.values() if any(f'"{name}"' in text for name in buttons) and "extends" in text]

    assert len(pages) > 2
    assert all("partials/_search_again.html" in text for text in pages)


@pytest.mark.django_db(transaction=True)
def test_pages_work_alike_with_and_without_script(env: Environment) -> None:
    for url, page in drawn(env):
        for element in page.elements:
            if "hx-get" in element.attrs:
                assert _gets_what_the_browser_would(element, url), (url, element)
            if "hx-post" in element.attrs:
                assert _posts_what_the_browser_would(element, url), (url, element)


@pytest.mark.django_db(transaction=True)
def test_no_page_violates_its_own_policy(env: Environment) -> None:
    for url, page in drawn(env):
        for element in page.elements:
            assert not {name for name in element.attrs if name == "style" or name.startswith("on")}, (url, element)
            assert element.tag != "script" or element.attrs.get("src", "").startswith("/static/"), (url, element)


@pytest.mark.django_db(transaction=True)
def test_every_page_has_one_heading_a_title_and_labels(env: Environment) -> None:
    for url, page in drawn(env):
        assert [each.tag for each in page.elements].count("h1") == 1, url
        assert re.search(r"<title>\s*[^·\s].*· Linkadmin</title>", page.source, re.DOTALL), url
        ids = [each.attrs["id"] for each in page.elements if "id" in each.attrs]
        assert len(ids) == len(set(ids)), (url, sorted({one for one in ids if ids.count(one) > 1}))
        labelled = {each.attrs.get("for") for each in page.elements if each.tag == "label"}
        for element in _typed_in(page):
            assert element.attrs.get("aria-label") or element.attrs.get("id") in labelled, (url, element)


@pytest.mark.django_db(transaction=True)
def test_every_change_has_a_csrf_token(env: Environment) -> None:
    for url, page in drawn(env):
        for form in page.forms:
            assert form.attrs.get("method") != "post" or "csrfmiddlewaretoken" in form.names, (url, form)
            assert form.attrs.get("method") == "post" or "csrfmiddlewaretoken" not in form.names, (url, form)


def delivered(env: Environment) -> str:
    """Deliver a webhook and return its page."""
    body = heron_webhook(item_id="item-1")
    deliver(open_endpoint(env.heron), body, signed(body))
    return stored_delivery(env.heron).get_absolute_url()


_drawn: list[tuple[str, Page]] = []


def drawn(env: Environment) -> list[tuple[str, Page]]:
    """One page of every kind, for the role that sees most of it. Drawn once, read by all tests."""
    if not _drawn:
        _drawn.extend(_draw(env))
    return _drawn


def _draw(env: Environment) -> Iterator[tuple[str, Page]]:
    waiting, refused = env.belvo_link("Acme Corp"), env.belvo_link("Blue Fern", bank="ironbank_br_retail")
    env.send(f"/links/{waiting.pk}/credentials/", password="numeric_code")
    env.send(f"/links/{refused.pk}/credentials/", password="pass_invalid", password2="valid")
    lost = env.belvo_link("Zebra Ltd", bank="gringotts_mx_retail")
    env.send(f"/links/{lost.pk}/credentials/", password="lost_before")
    heron = env.heron_link("Heron Ltd")
    at_heron, at_customer = f"/integrations/{env.heron.pk}", f"/customers/{heron.end_user_id}/records"
    urls = {
        "ana": [
            "/", "/links/", "/links/?state=customer", "/links/new/", f"/links/new/?integration={env.belvo.pk}",
            env.new_link_url(), env.new_link_url("ironbank_br_retail"), f"/links/{refused.pk}/",
            f"/links/{refused.pk}/credentials/", f"/links/{refused.pk}/history/", f"/links/{refused.pk}/notes/",
            f"/links/{waiting.pk}/", f"/links/{waiting.pk}/code/",
            env.last_operation(refused).get_absolute_url(), env.last_operation(lost).get_absolute_url(),
            "/bulk/", draft_job(env, "refresh", [heron]).get_absolute_url(),
            completed(started_job(env, "note", [heron, refused], text="Called them.")).get_absolute_url(),
            "/customers/", refused.end_user.get_absolute_url(), "/institutions/", "/institutions/?status=down",
            env.bank().get_absolute_url(), f"/integrations/{env.belvo.pk}/institutions/", "/unrecognized-values/",
            f"/integrations/{env.belvo.pk}/records/links/", f"{at_heron}/records/links/",
            f"{at_heron}/records/customers/", f"{at_customer}/{env.heron.pk}/", f"/links/{heron.pk}/records/",
            f"/customers/{refused.end_user_id}/records/{env.heron.pk}/", "/deliveries/",
            delivered(env),
        ],
        "adm": [
            f"{at_heron}/endpoint/", f"{at_heron}/endpoint/url/", f"/integrations/{env.belvo.pk}/endpoint/",
            env.heron.get_absolute_url(), f"{at_heron}/records/connectors/", f"{at_heron}/records/webhooks/",
            f"{at_heron}/webhooks/add/", f"{at_heron}/webhooks/wbh_gone/end/", f"{at_heron}/reports/",
        ],
        "mia": ["/integrations/", env.belvo.get_absolute_url(), f"/links/{refused.pk}/"],
    }  # fmt: skip
    for name, addresses in urls.items():
        for url in addresses:
            page = env.open(url, name)
            assert page.status == 200, (url, page.status)
            yield url, page


def _gets_what_the_browser_would(element: Element, url: str) -> bool:
    asked = _whole(url, element.attrs["hx-get"])
    if element.attrs.get("hx-trigger", "").startswith(("every ", "countdown-over")):
        return asked in (url, f"{url}code/")  # a panel that redraws itself; a link's page has its code step
    if element.tag == "input":
        return element.attrs["hx-target"] == "#banks"  # suggestions; the form takes what is typed without them, too
    plain = element.attrs.get("action", "") if element.tag == "form" else element.attrs.get("href")
    return plain is not None and asked == _whole(url, plain)


def _posts_what_the_browser_would(element: Element, url: str) -> bool:
    if element.tag == "input":
        return element.attrs["hx-target"] == "next label"  # a number in its label; the form works without it, too
    if element.tag != "form" or element.attrs.get("method") != "post":
        return False
    return _whole(url, element.attrs["hx-post"]) == _whole(url, element.attrs.get("action", ""))


def _whole(url: str, reference: str) -> str:
    """Path and query of a reference on a page."""
    whole = urlsplit(urljoin(f"http://here{url}", reference))
    return f"{whole.path}?{whole.query}" if whole.query else whole.path


def _typed_in(page: Page) -> list[Element]:
    hidden = {"hidden", "submit", "radio"}
    found = [each for each in page.elements if each.tag in ("input", "select", "textarea")]
    return [each for each in found if each.attrs.get("type") not in hidden]

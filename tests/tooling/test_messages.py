"""Every text on screen is translatable: templates have none outside gettext, and the source catalog is complete."""

import ast
import re
import shutil
from gettext import GNUTranslations
from pathlib import Path

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.utils.functional import Promise
from pytest_django import Settings

ROOT = Path(__file__).parents[2]
CATALOG = Path("linkadmin/locale/en/LC_MESSAGES/django.po")
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
CUSTOMERS = r"^#: .*(templates/repair/customer/|linkadmin/repair/messages\.py)"
UNTRANSLATED = {"Linkadmin", "HTTP", "ms", "s", "linkadmin-demo"}  # names, units, and a password


def texts(template: str) -> list[str]:
    """Return text in a template that has no translation tag."""
    bare = re.sub(r"<kbd>.</kbd>", "", template)  # a letter's key is called the same everywhere
    bare = re.sub(r"{#.*?#}|{% blocktranslate.*?endblocktranslate %}", "", bare, flags=re.DOTALL)
    bare = re.sub(r"{%.*?%}|{{.*?}}", "", bare, flags=re.DOTALL)
    shown = re.findall(r'\b(?:title|placeholder|aria-label|alt)="([^"]*)"', bare)
    shown.append(re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>|&\w+;", " ", bare, flags=re.DOTALL))
    return [word for text in shown for word in re.findall(r"[A-Za-z][\w-]*", text) if word not in UNTRANSLATED]


def sources(catalog: Path) -> set[tuple[str, str]]:
    entries = re.split(r"\n\n", catalog.read_text())
    return {(field(entry, "msgctxt"), field(entry, "msgid")) for entry in entries if "obsolete" not in entry}


def field(entry: str, name: str) -> str:
    found = re.search(rf'^{name} ((?:".*"\n?)+)', entry, re.MULTILINE)
    return ast.literal_eval(f"({found[1]})") if found else ""


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT / "templates").as_posix())
def test_a_template_has_no_text_outside_gettext(path: Path) -> None:
    assert texts(path.read_text()) == []


def test_labels_in_django_admin_can_be_translated() -> None:
    shown = (
        (model, name)
        for model, records in admin.site._registry.items()
        for name in {*records.list_display, *(records.fields or ())}
    )
    fields = ((model, field) for model, name in shown for field in model._meta.get_fields() if field.name == name)
    assert [f"{model.__name__}.{field.name}" for model, field in fields if not is_lazy(field.verbose_name)] == []


def is_lazy(text: object) -> bool:
    return isinstance(text, Promise)


@pytest.mark.deep
def test_the_source_catalog_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    if shutil.which("xgettext") is None:
        pytest.skip("needs xgettext, of the package gettext")
    for folder in ("linkadmin", "templates"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("locale", "__pycache__"))
    (tmp_path / "linkadmin/locale").mkdir()
    monkeypatch.chdir(tmp_path)
    settings.LOCALE_PATHS = [str(tmp_path / "linkadmin/locale")]
    call_command("makemessages", locale=["en"], verbosity=0)
    assert sources(tmp_path / CATALOG) == sources(ROOT / CATALOG), "run `make messages`"


@pytest.mark.parametrize("language", ["es", "pt_BR"])
def test_customers_texts_are_translated_and_compiled(language: str) -> None:
    folder = ROOT / "linkadmin/locale" / language / "LC_MESSAGES"
    with (folder / "django.mo").open("rb") as compiled:
        catalog = GNUTranslations(compiled)
    entries = re.split(r"\n\n", (ROOT / CATALOG).read_text())
    shown = {field(entry, "msgid") for entry in entries if re.search(CUSTOMERS, entry, re.MULTILINE)}
    written = re.split(r"\n\n", (folder / "django.po").read_text())[1:]

    assert len(shown) > 20
    assert {text: catalog.gettext(text) for text in shown if catalog.gettext(text) in (text, "")} == {}
    assert {text for text in shown if placeholders(text) != placeholders(catalog.gettext(text))} == set()
    assert {field(entry, "msgid"): field(entry, "msgstr") for entry in written} == {
        text: catalog.gettext(text) for text in shown
    }, "run `make messages`"


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)s", text))

"""An HTTP client that acts like a browser: it stores cookies, submits forms as drawn, and records every response."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

from tests.environment import PASSWORD

TAB_SECONDS = 0.5  # like a tab left open after submitting
CODES = [f"recovery code {number}" for number in range(500)]  # everyone's in a stack
UNUSED_CODES = iter(CODES)


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._select = ""
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(said.get("action", "")))
        elif tag == "select":
            self._select = said.get("name", "")
        elif tag == "option" and "selected" in said and self.forms:
            self.forms[-1].fields[self._select] = said.get("value", "")
        elif tag in {"input", "textarea"} and self.forms and _is_sent(said):
            self.forms[-1].fields[said["name"]] = said.get("value", "")
            self._area = said["name"] if tag == "textarea" else ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.forms[-1].fields[self._area] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        self._area = ""


def _is_sent(said: dict[str, str]) -> bool:
    return bool(said.get("name")) and (said.get("type") not in {"checkbox", "radio"} or "checked" in said)


def forms_of(page: str) -> list[Form]:
    parser = _Forms()
    parser.feed(page)
    return parser.forms


class Browser:
    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: list[requests.Response] = []
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Connection"] = "close"  # any web process may answer the next request
        self._session.hooks["response"].append(lambda answer, **_: self.answers.append(answer))

    @property
    def cookies(self) -> dict[str, str]:
        return dict(self._session.cookies)

    def close(self) -> None:
        self._session.close()

    def sign_in(self, name: str, password: str = PASSWORD, code: str = "") -> requests.Response:
        page = self.submit("/accounts/login/", having="password", login=name, password=password)
        if not page.url.endswith("/login/factor/"):
            return page
        return self.submit("/accounts/login/factor/", having="code", code=code or next(UNUSED_CODES))

    def get(self, path: str) -> requests.Response:
        return self._session.get(urljoin(self.url, path), timeout=30)

    def open(self, path: str, *, having: str) -> Form:
        """Open a page and return its form that has the field `having`."""
        page = self.get(path)
        form = next((form for form in forms_of(page.text) if having in form.fields), None)
        assert form is not None, f"{page.status_code} {page.url} has no form with {having}"
        return Form(urljoin(page.url, form.action), form.fields)

    def send(self, form: Form, *, patience: float = 30, **typed: str) -> requests.Response:
        """Fill in a form and submit it. Wait up to `patience` seconds for the response."""
        return self._session.post(form.action, {**form.fields, **typed}, timeout=patience)

    def submit(self, path: str, *, having: str, patience: float = 30, **typed: str) -> requests.Response:
        return self.send(self.open(path, having=having), patience=patience, **typed)

    def lose_session(self) -> None:
        """Sign out, as an expired session would."""
        del self._session.cookies["session"]

    def press(self, path: str, address: str) -> requests.Response:
        """Open a page and press the button that submits to `address`."""
        page = self.get(path)
        form = next(form for form in forms_of(page.text) if form.action == address)
        return self._session.post(urljoin(page.url, address), form.fields, timeout=30)

    def update_credentials(self, link_page: str, *, patience: float = 30, **typed: str) -> requests.Response:
        return self.submit(f"{link_page}credentials/", having="operation_key", patience=patience, **typed)

    def leave_while_sending(self, link_page: str, **typed: str) -> None:
        """Submit new credentials and close the tab before the response."""
        try:
            answer = self.update_credentials(link_page, patience=TAB_SECONDS, **typed)
        except requests.ReadTimeout:
            return
        raise AssertionError(f"answered before the tab was closed: {answer.status_code} {answer.text}")

    def operations(self, link_page: str) -> list[str]:
        """Return the page URLs of a link's operations, newest first."""
        found = re.findall(r'href="(/operations/[0-9a-f-]{36}/)"', self.get(link_page).text)
        return list(dict.fromkeys(found))

    def state_of(self, link_page: str) -> str:
        """Return the status of a link's latest operation, as shown on the link's page."""
        page = self.get(self.operations(link_page)[0]).text
        shown = re.search(r"<dt>Status</dt><dd>([^<]+)</dd>", page)
        return shown[1] if shown else ""

    def says(self, path: str, words: str) -> bool:
        return words in self.get(path).text

    def outcomes_of(self, operation: str) -> list[str]:
        """Return the outcomes of an operation's audit events, oldest first."""
        page = self.get(f"/admin/audit/auditevent/?q={operation}").text
        return re.findall(r'<td class="field-outcome">([^<]+)</td>', page)[::-1]

"""Somebody who types a new secret into every secret field of every form, in every way a form can end."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator

import requests

from tests.processes.browser import Browser
from tests.processes.stack import Stack, wait_for

from .canaries import Canaries
from .echo_server import EchoServer, Manner

LOGIN_FIELDS = ("username", "username2", "username3", "token", "password", "password2", "certificate", "private_key")
UPDATE_FIELDS = ("password", "password2", "token", "certificate", "private_key", "encryption_key")
# What the one call of an operation can come to. The one that is held is for the kill.
MANNERS = [manner for manner in Manner if manner is not Manner.HOLD]
LINKS = 3 * len(MANNERS) + 4
RIGHT_CODE = "111111"
NAME, OTHER_NAME = "EchoServer Belvo", "EchoServer Heron"


class Typist:
    """Types at a running stack, whose two further integrations are an echo server's."""

    def __init__(self, stack: Stack, echo_server: EchoServer, canaries: Canaries) -> None:
        self.stack = stack
        self.echo_server = echo_server
        self.canaries = canaries
        self.support: Browser = stack.browser("ana")
        self.heron = ""
        self.belvo = ""
        self.bank = ""
        self.made_secret = ""  # told by us, in the one page that shows it
        self._links: Iterator[str] = iter(())
        self._others: Iterator[str] = iter(())
        self._customers = iter(range(1000))

    def keys_of_integrations(self) -> None:
        """Add two integrations as an administrator, refused first, and test their connections."""
        admin = self.stack.browser("adm")
        keys = {name: self.canaries.plain(name) for name in ("belvo_secret_id", "belvo_secret_password")}
        self.belvo = self._add_integration(admin, "belvo", NAME, **keys)
        key, account = self.canaries.plain("heron_api_key"), "itg_sandbox_transactions"
        self.heron = self._add_integration(admin, "heron", OTHER_NAME, heron_api_key=key, heron_integration_id=account)
        for integration in (self.belvo, self.heron):
            for refuses in (True, False):
                self.echo_server.refuses_keys = refuses
                page = f"/integrations/{integration}/"
                admin.press(page, f"{page}test/")
                assert admin.says(page, "API keys rejected") is refuses
        made = self.stack.run("tests.canary.fixtures", NAME, str(LINKS))
        self.bank, self._links = made["bank"], iter(made["links"])
        self._others = iter(self.stack.run("tests.canary.fixtures", OTHER_NAME, str(len(MANNERS)))["links"])

    def secrets_of_messages(self) -> None:
        """Open an endpoint for each provider, type its secret, badly first, and have messages come that repeat it."""
        admin = self.stack.browser("adm")
        label = "webhook secret"
        secrets = {"belvo": f"Bearer {self.canaries.short(label)}", "heron": f"sec_{self.canaries.short(label)}"}
        for provider, integration in (("belvo", self.belvo), ("heron", self.heron)):
            page, secret = f"/integrations/{integration}/endpoint/", secrets[provider]
            admin.press(page, f"{page}url/")
            for typed in (self.canaries.long(label), secret):
                admin.submit(page, having="secret", secret=typed)
            address = re.findall(rf"/webhooks/{provider}/[0-9a-f]+/", admin.get(page).text)[0]
            for text in (secret, self.canaries.plain("forged proof")):
                self._tell(address, provider, text)
        page = f"/integrations/{self.belvo}/endpoint/"
        made = re.findall(r"Bearer [\w-]{43}", admin.press(page, f"{page}secrets/new/").text)
        self.made_secret = made[0].removeprefix("Bearer ")
        listed = admin.get("/deliveries/").text
        shown = re.findall(r"/deliveries/[0-9a-f-]{36}/", listed)
        for seen in {"/admin/webhooks/webhooksecret/", page, *shown}:
            assert admin.get(seen).ok

    def _tell(self, address: str, provider: str, secret: str) -> None:
        """Send a message that repeats its proof, once as JSON and once as something else."""
        told = {
            "webhook_type": "WEATHER",
            "webhook_code": "echo",
            "topic": "weather.echo",
            "data": {"you_sent": secret},
        }
        for body in (json.dumps(told).encode(), f"you sent {secret}".encode()):
            signature = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()
            proof = {"Authorization": secret} if provider == "belvo" else {"Heron-Signature": signature}
            requests.post(self.stack.url + address, body, headers=proof, timeout=30)

    def passwords_of_staff(self) -> None:
        """Make a member of staff, who mistypes a password, logs in, and changes it."""
        first, second = self.canaries.long("staff-password"), self.canaries.long("staff-new-password")
        person = {"username": "cleo", "name": "Cleo", "role": "support"}
        self.stack.browser("adm").submit(
            "/admin/accounts/user/add/", having="password1", **person, password1=first, password2=first
        )
        cleo = Browser(self.stack.url)
        self.stack.browsers.append(cleo)
        assert cleo.log_in("cleo", self.canaries.long("mistyped-password")).url.endswith("/login/")
        assert not cleo.log_in("cleo", first).url.endswith("/login/")
        for old in (self.canaries.long("mistyped-old-password"), first):
            changed = cleo.submit(
                "/accounts/password/", having="oldpassword", oldpassword=old, password1=second, password2=second
            )
        assert "Your password is changed" in changed.text

    def every_end_of_a_call(self) -> None:
        """Create, update and answer a code, once for each thing that can become of the call."""
        for manner in MANNERS:
            self.stack.run("tests.canary.lift_limits")
            self.echo_server.manner = manner
            self.create_belvo()
            self.create_heron()
            self.update(next(self._links))
            self.hand_over(next(self._others))
            self.repair_address(next(self._links))
            self.stack.run("tests.canary.lift_limits")  # the manner may have opened the circuit breaker
            self.echo_server.manner = Manner.ASK
            asked = self.update(next(self._links))
            step = asked.url
            assert step.endswith("/code/"), (manner, step, asked.text)
            self.echo_server.manner = manner
            self.support.submit(step, having="code", code=self.canaries.plain("code"))

    def forms_that_are_not_sent(self) -> None:
        """Type secrets into forms that our own rules refuse, or that arrive broken."""
        self.stack.run("tests.canary.lift_limits")
        self.echo_server.manner = Manner.ACCEPT
        told = len(self.echo_server.heard)
        assert "No customer has this id yet" in self.create_belvo(end_user_name="").text
        assert "already has a link at this bank" in self.create_belvo(end_user_id="echo-00", end_user_name="").text
        page = f"{next(self._links)}credentials/"
        secrets = self._secrets(UPDATE_FIELDS)
        no_base64 = {"certificate": self.canaries.long("certificate")}
        too_long = {"certificate": 300_000 * "A"}
        for broken in ({"operation_key": "none"}, {"csrfmiddlewaretoken": "forged"}, too_long, no_base64):
            self.support.submit(page, having="operation_key", **(secrets | broken))
        colleague = self.stack.browser("ben")
        form = colleague.open(page, having="operation_key")
        colleague.lose_log_in()
        assert colleague.send(form, **secrets).url.endswith(f"/login/?next={page}")
        assert len(self.echo_server.heard) == told

    def a_call_that_is_killed(self) -> str:
        """Kill the web process while the echo server has the secrets; return what the link's page says then."""
        self.echo_server.manner = Manner.HOLD
        link, told = next(self._links), len(self.echo_server.heard)
        self.support.leave_while_sending(link, **self._secrets(UPDATE_FIELDS))
        wait_for(lambda: len(self.echo_server.heard) > told)
        self.stack.kill("web")
        self.echo_server.let_go.set()
        self.stack.start("web")
        return self.support.get(link).text

    def the_simulators_banks(self) -> None:
        """Create and repair links at banks that are pickier than an echo server, and keep what they know in a file."""
        institutions = f"/links/new/institutions/?integration={self.stack.integrations['belvo']}&bank=Iron"
        chosen = next(part for part in self.support.get(institutions).text.split('"') if "institution=" in part)
        names = {name: self.canaries.short(f"simulator {name}") for name in ("username", "username2", "password")}
        asked = self._create(chosen.replace("&amp;", "&"), **names, password2="mfa_numeric")
        for code in (self.canaries.plain("simulator code"), RIGHT_CODE):
            answer = self.support.submit(asked.url, having="code", code=code)
        assert "/code/" not in answer.url
        for word in ("pass_valid", "pass_invalid", "lost_after"):
            typed = self.canaries.short("simulator password")
            self.support.update_credentials(self.stack.link("ironbank_br_retail").page, password=typed, password2=word)

    def create_belvo(self, **customer: str) -> requests.Response:
        address = f"/links/new/?integration={self.belvo}&institution={self.bank}"
        return self._create(address, **(self._secrets(LOGIN_FIELDS) | customer))

    def create_heron(self) -> requests.Response:
        number = next(self._customers)
        secrets = self._secrets(("access_token", "asset_report_token"))
        return self._create(f"/links/new/?integration={self.heron}", item_id=f"item-{number}", **secrets)

    def update(self, link: str) -> requests.Response:
        return self.support.update_credentials(link, **self._secrets(UPDATE_FIELDS))

    def hand_over(self, link: str) -> requests.Response:
        """Give a new access token for a link."""
        token = self.canaries.long("new access_token")
        return self.support.submit(f"{link}access-token/", having="access_token", access_token=token)

    def repair_address(self, link: str) -> requests.Response:
        """Have an address made where the customer repairs a link, and look at it."""
        made = self.support.submit(f"{link}repair-url/", having="locale", locale="es")
        return self.support.get(made.url)

    def _create(self, address: str, **typed: str) -> requests.Response:
        number = next(self._customers)
        customer = {"end_user_id": f"typed-{number}", "end_user_name": f"Typed {number}"}
        return self.support.submit(address, having="end_user_id", **(customer | typed))

    def _secrets(self, fields: tuple[str, ...]) -> dict[str, str]:
        """Make a value for each field, as awkward as the field allows: a file is base64."""
        make = {"certificate": self.canaries.short, "private_key": self.canaries.short}
        return {name: make.get(name, self.canaries.long)(name) for name in fields}

    def _add_integration(self, admin: Browser, provider: str, name: str, **keys: str) -> str:
        typed = {"provider": provider, "name": name, "is_active": "on", **keys}
        for address, is_refused in (("http://metadata.example", True), (self.echo_server.url, False)):
            answer = admin.submit("/admin/integrations/integration/add/", having="base_url", base_url=address, **typed)
            assert ("errornote" in answer.text) is is_refused
        listed = admin.get("/integrations/").text.split(name)[0]
        return listed.rsplit("/integrations/", 1)[1].split("/")[0]

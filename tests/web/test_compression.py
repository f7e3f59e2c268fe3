"""Pages are compressed unless they show a secret, whose length would leak."""

import gzip

import pytest
from django.test import Client

from linkadmin.links.models import Link
from linkadmin.operations.models import PendingChallenge
from tests.environment import Environment
from tests.url_table import views
from tests.webhooks.webhook_sender import open_endpoint

pytestmark = pytest.mark.django_db(transaction=True)

# Every view that can show a challenge, a repair URL, a signing secret, the random part of an endpoint URL, an
# authenticator app's key, or a recovery code.
SHOW_A_SECRET = {
    "link-code",
    "link-code-picture",
    "integration-endpoint",
    "integration-endpoint-secret-add",
    "integration-endpoint-secret-make",
    "integration-webhooks",
    "integration-webhook-add",
    "integration-webhook-remove",
    "staff-new",
    "staff-invite",
    "staff-invite-mail",
    "staff-reset-factors",
    "join",
    "link-repair-request",
    "repair-request",
    "factor-app",
    "factor-passkey",
    "recovery-codes",
}
GZIP = {"Accept-Encoding": "gzip"}


def encoding(client: Client, address: str, **values: str) -> str:
    """Content encoding of a response, after checking that it's a page and no redirect."""
    answer = client.post(address, values, headers=GZIP) if values else client.get(address, headers=GZIP)
    assert answer.status_code in (200, 409, 422)
    assert answer["Content-Type"].startswith("text/html")
    return str(answer.get("Content-Encoding", ""))


def test_every_view_with_a_secret_disables_compression() -> None:
    marked = {name for name, view in views() if getattr(view, "shows_secret", False)}

    assert marked == SHOW_A_SECRET


@pytest.mark.parametrize("address", ["/links/", "/links/{link}/", "/links/{link}/credentials/", "/accounts/login/"])
def test_page_is_compressed(env: Environment, address: str) -> None:
    link = env.belvo_link()
    client = Client() if "login" in address else env.client()

    answer = client.get(address.format(link=link.pk), headers=GZIP)

    assert answer["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer["Vary"]
    assert b"</html>" in gzip.decompress(answer.content)


def test_equal_responses_differ_in_length(env: Environment) -> None:
    lengths = {len(env.client().get("/accounts/password/", headers=GZIP).content) for _each in range(30)}

    assert len(lengths) > 1


def asked_for_a_code(env: Environment) -> Link:
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", password="mfa_numeric")
    return link


def test_challenge_is_not_compressed(env: Environment) -> None:
    link = asked_for_a_code(env)

    assert encoding(env.client(), f"/links/{link.pk}/code/") == "identity"
    assert encoding(env.client(), f"/links/{link.pk}/code/", code="") == "identity"


def test_picture_of_a_challenge_is_not_compressed(env: Environment) -> None:
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", password="qr_code")
    challenge = PendingChallenge.objects.get()

    answer = env.client().get(f"/links/{link.pk}/code/{challenge.pk}/picture/", headers=GZIP)

    assert (answer.status_code, answer["Content-Encoding"]) == (200, "identity")
    assert answer.content.startswith(b"\x89PNG")


def test_signing_secret_and_endpoint_url_are_not_compressed(env: Environment) -> None:
    open_endpoint(env.belvo)
    page = f"/integrations/{env.belvo.pk}/endpoint/"

    assert encoding(env.client("adm"), page) == "identity"
    assert encoding(env.client("adm"), f"{page}secrets/", secret="") == "identity"


def test_subscriptions_with_their_urls_are_not_compressed(env: Environment) -> None:
    listed = f"/integrations/{env.heron.pk}/records/webhooks/"

    assert encoding(env.client("adm"), listed) == "identity"
    assert encoding(env.client("adm"), f"/integrations/{env.heron.pk}/webhooks/add/") == "identity"

"""Settings of single sign-on: a mistake stops the start with a message that names the variable."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from linkadmin.accounts.single_sign_on.settings import identity_provider
from tests.identity_provider import NAMED, SECRET


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"issuer": "", "client_secret": "", "roles": []},
            "LINKADMIN_OIDC_CLIENT_ID is set, but",
        ),
        ({"client_id": ""}, "LINKADMIN_OIDC_ISSUER is set, but LINKADMIN_OIDC_CLIENT_ID isn't"),
        ({"client_secret": ""}, "LINKADMIN_OIDC_ISSUER is set, but LINKADMIN_OIDC_CLIENT_SECRET isn't"),
        ({"roles": []}, "LINKADMIN_OIDC_ISSUER is set, but LINKADMIN_OIDC_ROLES isn't"),
        ({"roles": ["leads"]}, "LINKADMIN_OIDC_ROLES must be like"),
        ({"roles": ["=manager"]}, "LINKADMIN_OIDC_ROLES must be like"),
        ({"roles": ["leads=superuser"]}, "roles are support, manager, auditor, administrator"),
        ({"scopes": "profile"}, "LINKADMIN_OIDC_SCOPES must contain openid"),
        *(
            ({"issuer": issuer}, "LINKADMIN_OIDC_ISSUER must be like")
            for issuer in (
                "id.example.com",
                "http://id.example.com",
                "https://id.example.com:8443",
                "https://user@id.example.com",
                "https://id.example.com/?a=b",
                "https://id.example.com/#a",
                "https://id.example.com/ä",
                "https://id.example.com/" + 300 * "a",
                "https://[",
            )
        ),
    ],
    ids=str,
)
def test_mistake_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        identity_provider(**NAMED | given)

    assert message in str(refused.value)
    assert SECRET not in str(refused.value)


def test_values_of_the_claim_may_hold_spaces_and_equal_signs() -> None:
    provider = identity_provider(**NAMED | {"roles": [" cn=support = support ", "a b=manager"]})

    assert provider is not None
    assert provider.roles == {"cn=support": "support", "a b": "manager"}
    assert SECRET not in repr(provider)


def test_passwords_cannot_be_off_without_single_sign_on() -> None:
    command = [sys.executable, "-c", "import linkadmin.settings"]
    variables = {**os.environ, "LINKADMIN_PASSWORD_SIGN_IN": "0", "LINKADMIN_OIDC_ISSUER": ""}

    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "LINKADMIN_PASSWORD_SIGN_IN is 0, but LINKADMIN_OIDC_ISSUER isn't set" in done.stderr

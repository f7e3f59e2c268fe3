"""Calls Belvo with belvo-python, in a Python that has it. Prints the result of each step as JSON.

Usage: python drive_belvo_python.py URL SECRET_ID SECRET_PASSWORD
"""

import json
import sys
from typing import Any

from belvo.client import Client  # type: ignore[import-not-found]
from belvo.exceptions import RequestError  # type: ignore[import-not-found]

BANK = "erebor_mx_retail"
RIGHT_CODE, WRONG_CODE = "111111", "999999"
WANTS_CODE = 428


def wanted_code(call: Any, *arguments: str, **options: str) -> dict[str, Any]:
    """Make a call that asks for a code; return the challenge."""
    try:
        call(*arguments, raise_exception=True, **options)
    except RequestError as error:
        if error.status_code != WANTS_CODE:
            raise
        detail: Any = error.detail
        return dict(detail[0] if isinstance(detail, list) else detail)
    raise AssertionError("no code was wanted")


def resume(links: Any, wish: dict[str, Any]) -> Any:
    return links.resume(wish["session"], RIGHT_CODE, link=wish["link"], raise_exception=True)


def main(url: str, secret_id: str, secret_password: str) -> None:
    client = Client(secret_id, secret_password, url)
    links = client.Links
    created = links.create(BANK, "sdk1", "pass_valid", external_id="sdk-customer", raise_exception=True)
    wish = wanted_code(links.create, BANK, "sdk2", "mfa_numeric", external_id="sdk-customer")
    wish = wanted_code(links.resume, wish["session"], WRONG_CODE, link=wish["link"])
    resumed = resume(links, wish)
    updated = links.update(created["id"], password="pass_valid", raise_exception=True)
    repaired = resume(links, wanted_code(links.update, created["id"], password="mfa_default"))
    told = {
        "created": created["status"],
        "challenge": wish["token_generation_data"]["type"],
        "resumed": [resumed["id"] == wish["link"], resumed["status"]],
        "updated": [updated["id"] == created["id"], updated["status"]],
        "repaired": [repaired["id"] == created["id"], repaired["status"]],
        "listed": sorted(link["id"] for link in links.list(external_id="sdk-customer"))
        == sorted([created["id"], resumed["id"]]),
        "read": links.get(created["id"])["institution"],
        "institutions": BANK in {bank["name"] for bank in client.Institutions.list()},
        "institution": client.Institutions.get("1004")["name"],
        "token": sorted(client.WidgetToken.create(link=created["id"], raise_exception=True)),
        "deleted": [links.delete(created["id"]), links.delete(created["id"])],
        "left": [link["id"] for link in links.list(external_id="sdk-customer")] == [resumed["id"]],
    }
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Records are stored as JSON and come back unchanged; secrets are never stored."""

import json
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from linkadmin.integrations.connections import client_for
from linkadmin.providers.errors import Busy, Failure
from linkadmin.providers.records import RemoteAccount, RemoteRepairUrl
from linkadmin.providers.types import Cause, Observation, RemoteLink, Secret
from linkadmin.sync.answer_cache import pack, unpack
from linkadmin.sync.live_queries import QueryFailure, Reading
from linkadmin.sync.records import LinkRecord, PartialAnswer, read_behind_link, read_customer
from tests.environment import Environment

READ = [
    None,
    7,
    ["transactions", "accounts"],
    RemoteAccount("acc-1", enabled=True, first=date(2026, 1, 2)),
    RemoteLink("link-1", Observation(Cause.WORKING), resources=("ACCOUNTS",), fresh_for=timedelta(hours=36)),
    PartialAnswer(trouble=QueryFailure(Busy, Failure("heron.list", 429, fields={"page": "too far"}, retry_after=2.5))),
    Reading(
        id=uuid.uuid4(), began_at=datetime(2026, 1, 2, tzinfo=UTC), found=LinkRecord(PartialAnswer([]), PartialAnswer())
    ),
]


def stored_and_read(value: Any) -> Any:
    return unpack(json.loads(json.dumps(pack(value))))


@pytest.mark.parametrize("value", READ)
def test_what_was_read_comes_back_as_it_was(value: object) -> None:
    assert stored_and_read(value) == value


@pytest.mark.django_db(transaction=True)
def test_everything_a_provider_keeps_of_a_customer_and_link_comes_back(env: Environment) -> None:
    heron, belvo = env.heron_link(), env.belvo_link()
    topic = client_for(env.heron).list_webhook_topics()[0]
    client_for(env.heron).add_webhook(topic, "https://hooks.example.com/")
    read = [
        read_customer(client_for(env.heron), heron.end_user),
        read_behind_link(client_for(env.heron), heron.ref),
        read_behind_link(client_for(env.belvo), belvo.ref),
        client_for(env.belvo).list_links({}),
        client_for(env.belvo).find_institutions({}, page=1),
        client_for(env.heron).list_end_users({}),
        client_for(env.heron).list_connectors(),
        client_for(env.heron).list_webhooks(),
    ]

    assert stored_and_read(read) == read


@pytest.mark.parametrize("value", [Secret("typed"), RemoteRepairUrl(Secret("https://bank.example/"), expires_in=60)])
def test_secret_is_not_stored(value: object) -> None:
    with pytest.raises(TypeError):
        pack(value)


@pytest.mark.parametrize(
    "packed",
    [
        {"os:system": "ls"},
        {"linkadmin.providers.types:Secret": {}},
        {"linkadmin.providers.types:NoSuchRecord": {}},
        {"linkadmin.providers.records:RemoteAccount": {"of_another_release": 1}},
        {"linkadmin.providers.types:Cause": "of_another_release"},
    ],
)
def test_what_is_not_known_here_is_refused(packed: object) -> None:
    with pytest.raises(ValueError, match=r"is not known here|is not ours|is no record|is not a valid"):
        unpack(packed)

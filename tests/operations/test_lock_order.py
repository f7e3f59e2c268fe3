"""Everyone locks in one order: customers and integrations first, the audit log last, whatever is sent meanwhile."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.module_loading import import_string

from linkadmin.audit.models import AuditEvent
from linkadmin.links import account_managers, health
from linkadmin.links.models import EndUser, Link
from linkadmin.operations import services
from linkadmin.operations.models import OperationKind
from linkadmin.providers.types import Cause, Observation, RemoteLink, Secret
from linkadmin.sync.full_checks.discovery import add_unknown_links
from linkadmin.webhooks import endpoints
from tests.environment import HERON_INTEGRATION, Environment
from tests.sync.full_checking import completed_full_check

pytestmark = pytest.mark.django_db(transaction=True)

WAIT_SECONDS = 30


def in_thread(work: Callable[[], object]) -> threading.Thread:
    def work_and_close() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=work_and_close)
    thread.start()
    return thread


def stopped_by_a_lock(thread: threading.Thread) -> bool:
    """Whether the thread waits for a lock, once it does or has ended."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while thread.is_alive():
        with connection.cursor() as cursor:
            if cursor.execute(waiting).fetchone():
                return True
        time.sleep(0.02)
    return False


@contextmanager
def stopped_in(function: str, work: Callable[[], object]) -> Iterator[None]:
    """Run `work` in a thread that stops before it calls `function`, and holds its locks meanwhile."""
    call, has_locks, may_end = import_string(function), threading.Event(), threading.Event()

    def call_later(*args: Any, **named: Any) -> Any:
        has_locks.set()
        may_end.wait(WAIT_SECONDS)
        return call(*args, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(function, call_later)
        thread = in_thread(work)
        try:
            assert has_locks.wait(WAIT_SECONDS)
            yield
        finally:
            may_end.set()
            thread.join()


def refresh(env: Environment, link: Link) -> None:
    services.change_link(
        actor=env.people["ana"], link=link, kind=OperationKind.REFRESH_DATA, values={}, operation_key=uuid4()
    )
    env.settled()


@pytest.mark.servers
def test_change_is_sent_while_its_customer_gets_an_account_manager(env: Environment) -> None:
    link, mia, by = env.belvo_link(cause=Cause.WORKING), env.people["mia"], env.people["adm"]
    with stopped_in(
        "linkadmin.links.account_managers.record",
        lambda: account_managers.set_account_manager(EndUser.objects.get(), mia, by=by),
    ):
        refresh(env, link)

    assert AuditEvent.objects.filter(action="end_user.account_manager_set").exists()


@pytest.mark.servers
def test_change_is_sent_while_its_integration_gets_a_webhook_secret(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    secret, by = Secret("Bearer " + 43 * "s"), env.people["adm"]
    with stopped_in(
        "linkadmin.webhooks.endpoints._record", lambda: endpoints.add_secret(env.belvo, secret, by=by, after=0)
    ):
        refresh(env, link)

    assert env.belvo.webhook_secrets.exists()


@pytest.mark.servers
def test_link_of_a_customer_who_gets_an_account_manager_meanwhile_gets_it_too(env: Environment) -> None:
    customer, mia = env.customer(), env.people["mia"]
    seen = Observation(Cause.WORKING)
    with transaction.atomic():
        link = Link(integration=env.belvo, end_user=customer, remote_id="link-9")
        health.start_links([(link, RemoteLink(link.remote_id, seen))], at=timezone.now())
        thread = in_thread(
            lambda: account_managers.set_account_manager(EndUser.objects.get(), mia, by=env.people["adm"])
        )
        assert stopped_by_a_lock(thread)
    thread.join()

    assert Link.objects.get().account_manager == mia


@pytest.mark.servers
def test_customer_gets_an_account_manager_while_a_check_adds_a_link_of_theirs(env: Environment) -> None:
    link, mia = env.heron_link(item_id="item-1"), env.people["mia"]
    body = {"access_token": "access-sandbox-2", "end_user_id": link.end_user.external_id, "item_id": "item-2"}
    env.call_heron("POST", f"/api/integrations/{HERON_INTEGRATION}/links", body)
    with stopped_in("linkadmin.sync.full_checks.lists.add_unknown_links", lambda: completed_full_check(env.heron)):
        account_managers.set_account_manager(link.end_user, mia, by=env.people["adm"])

    assert [each.account_manager for each in Link.objects.filter(end_user=link.end_user)] == [mia, mia]


@pytest.mark.servers
def test_link_is_created_while_a_check_adds_its_customer(env: Environment) -> None:
    found = [RemoteLink("item-9", Observation(Cause.WORKING))]
    typed = {"end_user_id": "cus-1", "end_user_name": "Blue Fern Bakery", "item_id": "item-1", "access_token": "token"}
    with stopped_in(
        "linkadmin.sync.full_checks.discovery.ensure_customers",
        transaction.atomic(partial(add_unknown_links, env.heron, found, at=timezone.now(), end_user_id="cus-1")),
    ):
        thread = in_thread(lambda: env.send(env.new_link_url(), **typed))
        assert stopped_by_a_lock(thread)
    thread.join()
    env.settled()

    assert {each.remote_id for each in Link.objects.filter(end_user__external_id="cus-1")} == {"item-1", "item-9"}


def move_to_sandbox(env: Environment) -> None:
    url = f"/integrations/{env.heron.pk}/edit/"
    values = env.open(url, "adm").form_with("base_url").values
    env.post(url, values | {"is_active": "on", "environment": "sandbox"}, "adm")


@pytest.mark.servers
def test_environment_stays_while_the_first_link_is_created(env: Environment) -> None:
    typed = {"end_user_id": "cus-1", "end_user_name": "Blue Fern Bakery", "item_id": "item-1", "access_token": "token"}
    with stopped_in("linkadmin.operations.outcomes.apply_response", lambda: env.send(env.new_link_url(), **typed)):
        thread = in_thread(lambda: move_to_sandbox(env))
        assert stopped_by_a_lock(thread)
    thread.join()
    env.settled()

    env.heron.refresh_from_db()
    assert (Link.objects.get().environment, env.heron.environment) == ("production", "production")


@pytest.mark.servers
def test_first_link_that_a_check_adds_gets_an_environment_that_is_stored_meanwhile(env: Environment) -> None:
    found = [RemoteLink("item-9", Observation(Cause.WORKING))]
    with stopped_in("linkadmin.integrations.setup.services.record", lambda: move_to_sandbox(env)):
        thread = in_thread(lambda: add_unknown_links(env.heron, found, at=timezone.now()))
        assert stopped_by_a_lock(thread)
    thread.join()

    env.heron.refresh_from_db()
    assert (Link.objects.get().environment, env.heron.environment) == ("sandbox", "sandbox")


@pytest.mark.database
def test_audit_log_is_locked_last_for_a_new_customer(env: Environment) -> None:
    typed = {"end_user_id": "cus-1", "end_user_name": "Blue Fern Bakery", "item_id": "item-1", "access_token": "token"}
    with CaptureQueriesContext(connection) as asked:
        env.send(env.new_link_url(), **typed)
        env.settled()

    said = [query["sql"] for query in asked.captured_queries]
    [intent] = [sql for sql in transactions(said) if any('INSERT INTO "operations_operation"' in each for each in sql)]
    audited = ["audit_" in sql for sql in intent]
    assert any(audited)
    assert audited == sorted(audited)


def transactions(said: Sequence[str]) -> Iterator[Sequence[str]]:
    starts = [number for number, sql in enumerate(said) if sql.startswith("BEGIN")]
    for start in starts:
        yield said[start : said.index("COMMIT", start)]

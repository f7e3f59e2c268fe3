"""The Activity page: who changed what at which provider, for each role what it may see."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.operations.models import Operation, OperationKind, State
from linkadmin.paging import PAGE_SIZE
from tests.environment import Environment
from tests.markup import Page

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def operation(
    env: Environment,
    link: Link | None = None,
    *,
    by: str = "ana",
    kind: OperationKind = OperationKind.UPDATE_CREDENTIALS,
    state: State = State.SUCCEEDED,
    age: timedelta = timedelta(),
    integration: Integration | None = None,
    took: timedelta = timedelta(seconds=1.432),
) -> Operation:
    return Operation.objects.create(
        kind=kind,
        state=state,
        link=link,
        end_user=link.end_user if link else None,
        institution=link.institution if link else None,
        integration=link.integration if link else integration or env.belvo,
        actor=env.people[by],
        operation_key=uuid.uuid4(),
        created_at=timezone.now() - age,
        duration_ms=took // timedelta(milliseconds=1),
    )


def shown(page: Page, *operations: Operation) -> list[bool]:
    return [each.get_absolute_url() in page.links() for each in operations]


def test_row_says_who_changed_what_where_and_with_which_outcome(env: Environment) -> None:
    link = env.belvo_link("Acme Corp")
    operation(env, link, state=State.REJECTED)

    words = env.open("/operations/").words

    ana: User = env.people["ana"]
    assert f"Update credentials {env.belvo.name} Acme Corp {link.bank} Rejected {ana.display_name} 1.4 s" in words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.04, "40 ms"), (9.9, "9.9 s"), (31.7, "31 s"), (87, "1 min 27 s"), (120, "2 min")]
)
def test_durations_are_in_words(env: Environment, seconds: float, words: str) -> None:
    link = env.belvo_link("Acme Corp")
    changed = operation(env, link, took=timedelta(seconds=seconds))

    for url in ("/operations/", changed.get_absolute_url(), link.get_absolute_url()):
        assert f" {words} " in env.open(url).words


def test_names_are_masked_for_who_may_not_see_them(env: Environment) -> None:
    operation(env, env.belvo_link("Acme Corp"))

    assert "Acme" not in env.open("/operations/", "aud").source


@pytest.mark.parametrize(
    ("name", "sees"), [("ana", (True, False)), ("mia", (True, True)), ("aud", (True, True)), ("adm", (False, True))]
)
def test_each_role_sees_what_it_may_open(env: Environment, name: str, sees: tuple[bool, bool]) -> None:
    of_customer = operation(env, env.belvo_link())
    of_integration = operation(env, kind=OperationKind.ADD_WEBHOOK, integration=env.heron, by="adm")

    page = env.open("/operations/", name)

    assert tuple(shown(page, of_customer, of_integration)) == sees
    for url in (each.get_absolute_url() for each in (of_customer, of_integration)):
        assert url not in page.links() or env.client(name).get(url).status_code == 200


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("outcome=succeeded", (True, False, False)),
        ("outcome=rejected", (False, True, False)),
        ("outcome=not_sent", (False, False, True)),
        ("outcome=open", (False, False, False)),
        ("kind=refresh_data", (False, True, False)),
        ("within=24h", (True, True, False)),
        ("person={ben}", (False, True, False)),
        ("person={ben}&outcome=succeeded", (False, False, False)),
        ("integration={heron}", (False, True, False)),
    ],
)
def test_filters(env: Environment, query: str, expected: tuple[bool, ...]) -> None:
    belvo, heron = env.belvo_link(), env.heron_link()
    found = [
        operation(env, belvo),
        operation(env, heron, by="ben", kind=OperationKind.REFRESH_DATA, state=State.REJECTED),
        operation(env, belvo, state=State.NOT_SENT, age=timedelta(days=3)),
    ]

    page = env.open("/operations/?" + query.format(ben=env.people["ben"].pk, heron=env.heron.pk))

    assert tuple(shown(page, *found)) == expected


def test_people_to_choose_have_their_names(env: Environment) -> None:
    env.people["ben"].name = "Benedikta Örn"
    env.people["ben"].save()

    page = env.open(f"/operations/?person={env.people['ben'].pk}")

    assert "Person: Benedikta Örn" in page.words


def test_pages_show_each_operation_once(env: Environment) -> None:
    link = env.belvo_link()
    states = (State.SUCCEEDED, State.CONFIRMED_DONE, State.CODE_ENTERED)
    made = [operation(env, link, state=states[n % 3], age=timedelta(minutes=n)) for n in range(PAGE_SIZE + 3)]

    first = env.open("/operations/?outcome=succeeded")
    (turn,) = {href for href in first.links() if "after=" in href}
    second = env.open(f"/operations/{turn}")

    assert shown(first, *made) == [True] * PAGE_SIZE + [False] * 3
    assert shown(second, *made) == [False] * PAGE_SIZE + [True] * 3
    assert shown(env.open("/operations/?outcome=succeeded&sort=-time"), *made) == [False] * 3 + [True] * PAGE_SIZE


def test_no_operations_and_none_that_match(env: Environment) -> None:
    assert "No changes yet" in env.open("/operations/").words
    assert "No changes match these filters." in env.open("/operations/?outcome=rejected").words
    assert env.client().get("/operations/?outcome=x").status_code == 400


def refuse(env: Environment, link: Link, name: str = "ana") -> None:
    """Have our own rules deny a change: no password repairs this kind of link."""
    env.post(f"/links/{link.pk}/settings/", {"operation_key": str(uuid.uuid4())}, name)


def test_what_our_rules_denied_is_listed_with_the_reason(env: Environment) -> None:
    link = env.heron_link("Acme Corp", bank="First Platypus Bank")
    refuse(env, link)
    operation(env, link, state=State.NOT_SENT)

    page = env.open("/operations/?outcome=denied")

    assert "Outcome: Denied" in page.words
    person = env.people["ana"].display_name
    assert (
        f"Change settings {env.heron.name} Acme Corp First Platypus Bank "
        f"Not sent This provider can't do that. Nothing was sent. {person}" in page.words
    )
    assert page.source.count('class="table__main"') == 1
    assert link.get_absolute_url() in page.links()
    assert "Acme" not in env.open("/operations/?outcome=denied", "aud").source


@pytest.mark.parametrize(
    ("query", "is_shown"),
    [
        ("person={ana}", True),
        ("person={ben}", False),
        ("kind=change_settings", True),
        ("kind=remove_link", False),
        ("integration={heron}", True),
        ("integration={belvo}", False),
        ("within=24h", True),
        ("sort=-time", True),
    ],
)
def test_what_was_denied_is_filtered_like_everything(env: Environment, query: str, *, is_shown: bool) -> None:
    refuse(env, env.heron_link())
    people, integrations = env.people, {"heron": env.heron.pk, "belvo": env.belvo.pk}

    chosen = query.format(ana=people["ana"].pk, ben=people["ben"].pk, **integrations)
    page = env.open(f"/operations/?outcome=denied&{chosen}", "mia")

    assert ("Change settings Heron test" in page.words) is is_shown


def test_denied_by_role_is_for_who_may_read_the_audit_log(env: Environment) -> None:
    link = env.belvo_link("Acme Corp")
    assert env.post(f"/links/{link.pk}/credentials/", {}, "aud").status == 403

    words = env.open("/operations/?outcome=denied", "aud").words
    assert f"Submit form {env.belvo.name} A••• C••• {link.bank} Access denied Links" in words
    for name in ("ana", "mia", "adm"):
        assert "No changes match these filters." in env.open("/operations/?outcome=denied", name).words

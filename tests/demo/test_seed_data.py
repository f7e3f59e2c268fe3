"""What the first start seeds, and that it seeds once."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.db.models import F

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Role
from linkadmin.audit.models import AuditEvent
from linkadmin.demo.seed_data import seed
from linkadmin.integrations.models import Integration
from linkadmin.links.models import EndUser, HealthChange, Institution, Link
from linkadmin.operations.models import Operation
from linkadmin.providers.types import HealthState
from linkadmin.simulator.belvo.institutions import INSTITUTIONS, kind_of

from .conftest import NOW, SOMEWHERE

pytestmark = pytest.mark.usefixtures("state", "db")


def clear() -> None:
    Operation.objects.update(parent=None)
    for model in (Operation, Link, EndUser, Institution, Integration, User):
        model.objects.all().delete()


def everything() -> dict[str, list[Any]]:
    """Every row with its own ID, except the encrypted keys: ciphertexts always differ."""
    return {
        "staff": list(User.objects.order_by("pk").values_list("pk", "username", "name", "roles")),
        "integrations": list(Integration.objects.order_by("pk").values_list("pk", "name", "created_at")),
        "institutions": list(Institution.objects.order_by("pk").values_list("pk", "name", "form_fields")),
        "end_users": list(EndUser.objects.order_by("pk").values_list()),
        "links": list(Link.objects.order_by("pk").values_list()),
        "operations": list(Operation.objects.order_by("pk").values_list()),
        "changes": list(HealthChange.objects.order_by("link", "id").values_list("link", "at", "new", "cause")),
    }


def test_there_are_400_links_of_250_customers_at_34_banks_of_both_providers() -> None:
    by_provider = Counter(Link.objects.values_list("integration__provider", flat=True))

    assert by_provider == {"belvo": 230, "heron": 170}
    assert EndUser.objects.count() == EndUser.objects.filter(links__isnull=False).distinct().count() == 250
    assert Link.objects.values("institution").distinct().count() == 34


def test_every_state_of_health_is_there_and_most_links_work() -> None:
    statuses = Counter(Link.objects.values_list("health", flat=True))

    assert set(statuses) == {state.value for state in HealthState}
    assert 0.7 < statuses[HealthState.HEALTHY.value] / statuses.total() < 0.85


def test_links_are_of_every_kind_and_some_of_each_are_broken() -> None:
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for link in Link.objects.filter(integration__provider="belvo").select_related("institution"):
        assert link.institution
        kinds[kind_of(INSTITUTIONS[link.institution.name])][link.cause] += 1

    shares = {kind: statuses.total() / 230 for kind, statuses in kinds.items()}
    assert shares.keys() == {"bank", "openfinance", "fiscal", "employment"}
    assert min(shares["openfinance"], shares["fiscal"]) > 0.15
    assert shares["employment"] > 0.1
    assert all(len(statuses) > 2 for statuses in kinds.values())
    assert {"portal_consent_expired", "consent_rejected", "consent_unfinished", "renew_soon"} < kinds[
        "openfinance"
    ].keys()
    # Password repairs exist only at institutions with passwords.
    assert not {"code_needed", "login_refused", "password_wrong"} & kinds["openfinance"].keys()
    assert not {"code_needed", "password_wrong"} & kinds["employment"].keys()


def test_no_customer_has_two_links_at_one_bank() -> None:
    pairs = Counter(Link.objects.values_list("end_user", "institution"))

    assert max(pairs.values()) == 1


@pytest.mark.parametrize(
    ("username", "role"),
    [
        ("support", Role.SUPPORT),
        ("manager", Role.MANAGER),
        ("auditor", Role.AUDITOR),
        ("admin", Role.ADMINISTRATOR),
        ("admin2", Role.ADMINISTRATOR),
    ],
)
def test_each_role_can_sign_in_with_the_demo_password(username: str, role: Role) -> None:
    user = User.objects.get(username=username)

    assert check_password("linkadmin-demo", user.password)
    assert user.roles == role
    assert user.display_name != username


def test_colleagues_have_links_but_cant_sign_in() -> None:
    colleagues = User.objects.exclude(username__in=["support", "manager", "auditor", "admin", "admin2"])

    assert colleagues.count() >= 2
    assert not any(user.has_usable_password() for user in colleagues)
    assert all(user.assigned_links.exists() for user in colleagues)


def test_about_half_of_the_links_have_an_assignee() -> None:
    assert 160 <= Link.objects.exclude(assignee=None).count() <= 240


def test_half_of_the_customers_have_an_account_manager_whom_their_links_share() -> None:
    assert 0.4 < EndUser.objects.exclude(account_manager=None).count() / 250 < 0.6
    assert not Link.objects.exclude(account_manager=F("end_user__account_manager")).exclude(
        account_manager=None, end_user__account_manager=None
    )


def test_seeding_twice_does_nothing(state: Path) -> None:
    before, text = everything(), state.read_text()

    assert not seed(simulator_state=state, simulator_url=SOMEWHERE)

    assert everything() == before
    assert state.read_text() == text


def test_another_machine_gets_the_same_data(state: Path, tmp_path: Path) -> None:
    before = everything()
    clear()

    assert seed(simulator_state=tmp_path / "again.json", simulator_url=SOMEWHERE, now=NOW)

    assert everything() == before
    assert (tmp_path / "again.json").read_text() == state.read_text()


def test_seeding_is_in_the_audit_log_once() -> None:
    event = AuditEvent.objects.get(action="demo.seeded")

    assert event.actor == ""
    assert event.details["links"] == 400


def test_the_state_file_is_readable_by_its_owner_only(state: Path) -> None:
    assert state.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in state.parent.iterdir()] == [state.name]


def test_nothing_is_seeded_if_the_state_file_cant_be_written(tmp_path: Path) -> None:
    clear()

    with pytest.raises(FileNotFoundError):
        seed(simulator_state=tmp_path / "missing" / "simulator.json", simulator_url=SOMEWHERE)

    assert not Integration.objects.exists()
    assert not Link.objects.exists()

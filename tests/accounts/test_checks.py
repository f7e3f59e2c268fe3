"""`manage.py check --deploy`."""

import re
from pathlib import Path
from secrets import token_urlsafe
from types import SimpleNamespace

import pytest
from django.core import checks
from pytest_django import Settings

import linkadmin
from linkadmin.accounts.management.commands.makekeys import make_keys
from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Role
from linkadmin.demo.casting import id_of
from linkadmin.integrations.models import Integration

pytestmark = pytest.mark.django_db


@pytest.fixture
def deployment(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings as they should be in production."""
    settings.BASE_DIR = settings.DATA_DIR = tmp_path
    settings.KEYS_DIR = tmp_path / "keys"
    make_keys(settings.KEYS_DIR)
    monkeypatch.delenv("LINKADMIN_SECRET_KEY")
    for name in ("secret_key", "audit_key"):
        (settings.KEYS_DIR / name).write_text(token_urlsafe(50))
    settings.AUDIT_KEY = (settings.KEYS_DIR / "audit_key").read_text()
    settings.DEMO = settings.ALLOW_LOOPBACK_PROVIDERS = False
    settings.SECURE_COOKIES = True
    settings.ALLOWED_HOSTS = ["links.example.com", "localhost"]
    settings.PASSKEY_DOMAIN = "example.com"
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:6379/0"
    settings.LEAKED_PASSWORDS_URL = "https://api.pwnedpasswords.com"
    settings.MAIL_SERVER = {"host": "mail.example.com", "use_ssl": True, "use_tls": False}
    return settings


def found() -> list[str]:
    return [message.id for message in checks.run_checks(include_deployment_checks=True) if "linkadmin" in message.id]


def problems(check: str) -> list[str]:
    return [each.msg for each in checks.run_checks(include_deployment_checks=True) if each.id == check]


@pytest.mark.usefixtures("deployment")
def test_check_passes_for_a_valid_deployment() -> None:
    assert found() == []


def test_check_finds_a_key_that_differs_per_process(deployment: Settings) -> None:
    (deployment.KEYS_DIR / "secret_key").unlink()

    assert found() == ["linkadmin.E001"]


@pytest.mark.parametrize(
    ("setting", "value", "error"),
    [
        ("SEALING_KEYSET", "", "linkadmin.E001"),
        ("AUDIT_KEY", "", "linkadmin.E001"),
        ("ALLOW_LOOPBACK_PROVIDERS", True, "linkadmin.E002"),
        ("DEMO", True, "linkadmin.E003"),
        ("TRUSTED_PROXIES", 1, "linkadmin.E004"),
        ("SECURE_PROXY_SSL_HEADER", ("HTTP_X_FORWARDED_PROTO", "https"), "linkadmin.E004"),
        ("AUDIT_KEY", "changeme", "linkadmin.E006"),
        ("AUDIT_KEY", "ab" * 40, "linkadmin.E006"),
        ("SECURE_COOKIES", False, "linkadmin.E007"),
        ("ALLOWED_HOSTS", ["links.example.com", "*"], "linkadmin.E008"),
        ("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"], "linkadmin.W001"),
        ("PASSKEY_DOMAIN", "ample.com", "linkadmin.W006"),
        ("MAIL_SERVER", {"host": "mail.example.com", "use_ssl": False, "use_tls": False}, "linkadmin.E009"),
        ("LEAKED_PASSWORDS_URL", "http://api.pwnedpasswords.com", "linkadmin.E010"),
        ("LEAKED_PASSWORDS_URL", "https://127.0.0.1:8443/range", "linkadmin.E010"),
        ("MESSAGE_WEBHOOK_URL", "http://company.example/messages", "linkadmin.E013"),
    ],
)
def test_check_finds_what_is_unsafe(deployment: Settings, setting: str, value: object, error: str) -> None:
    setattr(deployment, setting, value)

    assert found() == [error]


def test_check_accepts_a_proxy_count(deployment: Settings) -> None:
    deployment.TRUSTED_PROXIES = 2
    deployment.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    assert found() == []


def test_check_doubts_that_there_are_so_many_proxies(deployment: Settings) -> None:
    deployment.TRUSTED_PROXIES = 6
    deployment.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    assert found() == ["linkadmin.W002"]


@pytest.mark.parametrize("variable", ["LINKADMIN_SECRET_KEY", "LINKADMIN_AUDIT_KEY"])
def test_check_finds_a_key_that_is_used_twice(
    deployment: Settings, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    deployment.AUDIT_KEY = token_urlsafe(50)
    monkeypatch.setenv("LINKADMIN_SECRET_KEY", deployment.AUDIT_KEY)

    assert any(variable in message for message in problems("linkadmin.E006"))


@pytest.mark.parametrize(
    ("name", "mode", "is_found"),
    [
        ("", 0o750, True),
        ("keys", 0o711, True),
        ("keys/audit_key", 0o640, True),
        ("keys/audit_key", 0o600, False),
        (".env", 0o644, True),
        (".env", 0o640, False),
    ],
)
def test_check_finds_files_that_others_can_read(deployment: Settings, name: str, mode: int, is_found: bool) -> None:
    path = deployment.DATA_DIR / name
    path.exists() or path.touch()
    path.chmod(mode)

    assert found() == (["linkadmin.W003"] if is_found else [])


def test_check_finds_a_mail_server_of_this_machine_safe(deployment: Settings) -> None:
    deployment.MAIL_SERVER = {"host": "localhost", "use_ssl": False, "use_tls": False}

    assert found() == []


def test_check_finds_jobs_in_a_folder_beside_postgresql(deployment: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment.CELERY_BROKER_URL = "filesystem://"
    for vendor, problem in (("sqlite", []), ("postgresql", ["linkadmin.W004"])):
        monkeypatch.setattr("linkadmin.checks.connection", SimpleNamespace(vendor=vendor))
        assert found() == problem


@pytest.mark.parametrize(
    ("url", "problem"), [("http://127.0.0.1:8800", ["linkadmin.W005"]), ("https://api.belvo.com", [])]
)
@pytest.mark.usefixtures("deployment")
def test_check_finds_simulated_providers(url: str, problem: list[str]) -> None:
    Integration.objects.create(name="Belvo", provider="belvo", base_url=url)

    assert found() == problem


@pytest.mark.usefixtures("deployment")
def test_check_finds_demo_staff() -> None:
    User.objects.create(pk=id_of("staff", "support"), username="support", roles=Role.SUPPORT)

    assert found() == ["linkadmin.E011"]


@pytest.mark.usefixtures("deployment")
def test_check_says_what_is_wrong_and_what_to_do(deployment: Settings) -> None:
    deployment.ALLOWED_HOSTS = ["*"]

    [message] = [each for each in checks.run_checks(include_deployment_checks=True) if each.id == "linkadmin.E008"]

    assert message.msg == "Any host name is allowed, so a forged one gets into links that we send."
    assert "LINKADMIN_ALLOWED_HOSTS" in str(message.hint)


def test_check_only_runs_for_deployments() -> None:
    assert not [message for message in checks.run_checks() if "linkadmin" in str(message.id)]


def test_no_two_checks_share_an_id() -> None:
    """Silencing one would silence the other."""
    source = "".join(path.read_text() for path in Path(linkadmin.__file__).parent.rglob("*.py"))
    ids = re.findall(r'id="(linkadmin\.\w+)"', source)

    assert ids
    assert sorted(set(ids)) == sorted(ids)

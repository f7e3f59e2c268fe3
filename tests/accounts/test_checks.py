"""`manage.py check --deploy`."""

from pathlib import Path

import pytest
from django.core import checks
from pytest_django import Settings


@pytest.fixture
def deployment(settings: Settings, tmp_path: Path) -> Settings:
    """Settings as they should be in production."""
    settings.KEYS_DIR = tmp_path
    settings.DEMO = settings.ALLOW_LOOPBACK_PROVIDERS = False
    return settings


def found() -> list[str]:
    return [message.id for message in checks.run_checks(include_deployment_checks=True) if "linkadmin" in message.id]


@pytest.mark.usefixtures("deployment")
def test_finds_nothing_in_a_sound_deployment() -> None:
    assert found() == []


@pytest.mark.usefixtures("deployment")
def test_finds_a_key_that_each_process_would_make_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LINKADMIN_SECRET_KEY")

    assert found() == ["linkadmin.E001"]


def test_accepts_a_key_that_was_made_once(deployment: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LINKADMIN_SECRET_KEY")
    (deployment.KEYS_DIR / "secret_key").write_text("made once")

    assert found() == []


@pytest.mark.parametrize(
    ("setting", "value", "error"),
    [
        ("SEALING_KEYSET", "", "linkadmin.E001"),
        ("AUDIT_KEY", "", "linkadmin.E001"),
        ("ALLOW_LOOPBACK_PROVIDERS", True, "linkadmin.E002"),
        ("DEMO", True, "linkadmin.E003"),
        ("TRUSTED_PROXIES", 1, "linkadmin.E004"),
        ("SECURE_PROXY_SSL_HEADER", ("HTTP_X_FORWARDED_PROTO", "https"), "linkadmin.E004"),
    ],
)
def test_finds_what_must_not_be_in_production(deployment: Settings, setting: str, value: object, error: str) -> None:
    setattr(deployment, setting, value)

    assert found() == [error]


def test_accepts_proxies_that_are_counted(deployment: Settings) -> None:
    deployment.TRUSTED_PROXIES = 2
    deployment.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    assert found() == []


def test_keeps_quiet_outside_deployments() -> None:
    assert not [message for message in checks.run_checks() if "linkadmin" in str(message.id)]

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
def test_check_passes_for_a_valid_deployment() -> None:
    assert found() == []


@pytest.mark.usefixtures("deployment")
def test_check_finds_a_key_that_differs_per_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LINKADMIN_SECRET_KEY")

    assert found() == ["linkadmin.E001"]


def test_check_accepts_a_generated_key(deployment: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_check_finds_development_settings(deployment: Settings, setting: str, value: object, error: str) -> None:
    setattr(deployment, setting, value)

    assert found() == [error]


def test_check_accepts_a_proxy_count(deployment: Settings) -> None:
    deployment.TRUSTED_PROXIES = 2
    deployment.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    assert found() == []


def test_check_only_runs_for_deployments() -> None:
    assert not [message for message in checks.run_checks() if "linkadmin" in str(message.id)]

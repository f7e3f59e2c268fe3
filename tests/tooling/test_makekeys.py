"""`makekeys`, which creates an installation's keys."""

from collections.abc import Callable
from pathlib import Path

import pytest
import tink
from django.core.management import call_command
from pytest_django import Settings
from tink import aead, secret_key_access

VARIABLES = ["LINKADMIN_SECRET_KEY", "LINKADMIN_AUDIT_KEY", "LINKADMIN_SEALING_KEYSET"]
MakeKeys = Callable[[], dict[str, str]]


@pytest.fixture
def make_keys(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> MakeKeys:
    """Run the command with an empty environment. Returns the contents of the files."""
    settings.KEYS_DIR = tmp_path / "keys"
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)

    def run() -> dict[str, str]:
        call_command("makekeys", verbosity=0)
        return {path.name: path.read_text() for path in (tmp_path / "keys").iterdir()}

    return run


def test_three_keys_are_created_for_their_owner_only(make_keys: MakeKeys, tmp_path: Path) -> None:
    keys = make_keys()

    assert set(keys) == {"secret_key", "audit_key", "sealing_keyset.json"}
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()} == {0o600}
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert min(map(len, keys.values())) >= 50


def test_keys_are_never_written_over(make_keys: MakeKeys) -> None:
    first = make_keys()

    assert make_keys() == first


def test_only_missing_keys_are_created(make_keys: MakeKeys, tmp_path: Path) -> None:
    first = make_keys()
    (tmp_path / "keys" / "audit_key").unlink()

    second = make_keys()

    assert second["audit_key"] != first["audit_key"]
    assert second["secret_key"] == first["secret_key"]


def test_a_key_from_the_environment_is_not_created(make_keys: MakeKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINKADMIN_AUDIT_KEY", "from the environment")

    assert set(make_keys()) == {"secret_key", "sealing_keyset.json"}


def test_the_sealing_keyset_encrypts_and_decrypts(make_keys: MakeKeys) -> None:
    aead.register()
    keyset = make_keys()["sealing_keyset.json"]

    box = tink.json_proto_keyset_format.parse(keyset, secret_key_access.TOKEN).primitive(aead.Aead)

    assert box.decrypt(box.encrypt(b"secret", b"place"), b"place") == b"secret"

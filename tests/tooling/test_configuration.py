"""Documented variables and packages match those that the code reads and installs."""

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SECRETS = {"LINKADMIN_SECRET_KEY", "LINKADMIN_AUDIT_KEY", "LINKADMIN_SEALING_KEYSET"}


def read(name: str) -> str:
    return (PROJECT / name).read_text()


def pins(lock: str) -> set[str]:
    return set(re.findall(r"^[a-z0-9.\[\]_-]+==\S+", read(lock), re.MULTILINE))


def test_the_example_lists_exactly_the_variables_that_are_read() -> None:
    read_by_settings = set(re.findall(r'"(LINKADMIN_[A-Z_]+)"', read("linkadmin/settings.py")))
    listed = re.findall(r"^(LINKADMIN_[A-Z_]+)=$", read(".env.example"), re.MULTILINE)

    assert read_by_settings > SECRETS
    assert sorted(listed) == sorted(read_by_settings)


def test_every_variable_of_the_example_has_a_comment_and_no_value() -> None:
    for block in read(".env.example").strip().split("\n\n"):
        *comments, variable = block.splitlines()
        assert comments, variable
        assert all(line.startswith("# ") for line in comments)
        assert variable.startswith("# ") or re.fullmatch(r"LINKADMIN_[A-Z_]+=", variable)


def test_the_tests_run_on_the_packages_that_are_shipped() -> None:
    assert pins("requirements.txt") < pins("requirements-dev.txt")


def test_every_pin_has_a_hash_and_no_file_names_an_index() -> None:
    for lock in ("requirements.txt", "requirements-dev.txt", "requirements-uv.txt"):
        blocks = re.split(r"\n(?=[a-z0-9])", read(lock))[1:]
        assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []
        assert "index-url" not in read(lock)
        assert "://" not in read(lock)


def test_each_make_target_has_a_description() -> None:
    targets = re.findall(r"^([a-z]+):(?! export).*$", read("Makefile"), re.MULTILINE)

    assert set(re.findall(r"^([a-z]+):.*## \S", read("Makefile"), re.MULTILINE)) == set(targets)

"""Patterns from banks: what they forbid, and what they may cost."""

import subprocess
import sys

import pytest

from linkadmin.operations.forms.patterns import mismatch

BOMBS = [
    "(?:(?:(?:a{1000}){1000}){1000}){1000}",
    "((((a{99}){99}){99}){99}){99}",
    "(?:(?:a{1000}) {1000})[)]{1000}",
    "(?x)(?:(?:(?:a{1000}) {1000}) {1000})",
    "(?:(?:(?:a{1000})(?#x){1000})(?#x){1000})",
    "(?:[]){](?:a{1000}){1000}){1000}",
    "(?:a{1000,}){1000,}",
]
SMALL = f"""
import resource, sys, time
import django
from django.conf import settings
settings.configure(USE_I18N=False)
django.setup()
from linkadmin.operations.forms.patterns import mismatch
mismatch("a", "", "a")
before = resource.getrusage(resource.RUSAGE_SELF)
for bomb in {BOMBS!r}:
    mismatch(bomb, "", "a" * 8_000)
after = resource.getrusage(resource.RUSAGE_SELF)
print((after.ru_maxrss - before.ru_maxrss) // 1024, round(after.ru_utime - before.ru_utime))
"""


def test_no_pattern_exhausts_memory() -> None:
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n{SMALL}"

    done = subprocess.run([sys.executable, "-c", limited], capture_output=True, text=True, timeout=600, check=True)

    megabytes, seconds = map(int, done.stdout.split())
    assert (megabytes < 50, seconds < 2) == (True, True)


@pytest.mark.parametrize("broken", ["(", "(?a)(?u)b", "[", "a{99999999999999999999}", "(" * 300, r"\p{nothing}"])
def test_invalid_pattern_passes(broken: str) -> None:
    assert mismatch(broken, "No", "x") == ""


@pytest.mark.parametrize(
    ("pattern", "right", "wrong"),
    [
        (r"^[A-Z]{4}\d{6}[HM][A-Z]{5}[0-9A-Z]{2}$", "LOLJ900101MBSPPN08", "LOLJ9001"),
        (r"^(?:\d{3}\.\d{3}\.\d{3}-\d{2}|\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}|\d{11}|\d{14})$", "12345678901", "1234"),
        (r"^(https:\/\/www49\.bb\.com\.br\/sms\?c=)+([0-9A-Z]){40}$", f"https://www49.bb.com.br/sms?c={'A' * 40}", "A"),
        (r"^(?:[A-F0-9]{2}:){15}[A-F0-9]{2}$", "A0:" * 15 + "A0", "A0:A0"),
        (r"^[({]\d{1000}$", "(" + "1" * 1000, "(1"),
    ],
)  # fmt: skip
def test_valid_patterns_decide(pattern: str, right: str, wrong: str) -> None:
    assert (mismatch(pattern, "No", right), mismatch(pattern, "No", wrong)) == ("", "No")

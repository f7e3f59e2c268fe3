"""Times as providers write them: ISO 8601 with Z or z, seconds or milliseconds since 1970, dates."""

from datetime import UTC, date, datetime

import pytest

from linkadmin.providers.reading import day, is_day, moment

AT = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2026-01-01T12:30:00Z",
        "2026-01-01T12:30:00z",
        "2026-01-01T12:30:00.000000z",
        "2026-01-01T12:30:00",
        "2026-01-01T06:30:00-06:00",
        AT.timestamp(),
        int(AT.timestamp()),
        int(AT.timestamp()) * 1000,
        str(int(AT.timestamp())),
        str(int(AT.timestamp()) * 1000),
        f"{int(AT.timestamp())}.000",
    ],
)
def test_time_is_read(written: object) -> None:
    assert moment(written) == AT


@pytest.mark.parametrize(
    "written", [None, True, 0, -1, 17, 10**30, float("inf"), float("nan"), "", "z", "soon", [], {}]
)
def test_what_is_no_time_is_absent(written: object) -> None:
    assert moment(written) is None
    assert day(written) is None


@pytest.mark.parametrize(
    "written", ["2026-12-03", "2026-12-03T23:30:00-06:00", "2026-12-03T00:30:00+14:00", "2026-12-03T12:00:00z"]
)
def test_day_is_the_one_that_was_written(written: str) -> None:
    assert day(written) == date(2026, 12, 3)


def test_date_is_distinguished_from_a_time() -> None:
    assert is_day("2026-12-03")
    assert not any(map(is_day, ["2026-12-03T00:00:00", "2026-13-03", 20261203, None]))

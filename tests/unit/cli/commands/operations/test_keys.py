"""When a key ends, as the command line is told."""

from datetime import UTC, datetime, timedelta

import pytest

from pentad.cli.commands.operations.keys import DEFAULT_EXPIRY, parse_expiry
from pentad.cli.console import CommandError

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("12h", NOW + timedelta(hours=12)),
        ("30d", NOW + timedelta(days=30)),
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
        ("never", None),
        (DEFAULT_EXPIRY, NOW + timedelta(days=90)),
    ],
)
def test_a_key_ends_after_a_time_or_on_a_day_or_never(text: str, end: datetime | None) -> None:
    assert parse_expiry(text, NOW) == end


@pytest.mark.parametrize("text", ["", "0d", "-1d", "30", "30m", "1d ", "2026-11-22", "2020-01-01", "always", "999999d"])
def test_an_end_that_is_none_or_has_passed_is_refused(text: str) -> None:
    with pytest.raises(CommandError):
        parse_expiry(text, NOW)

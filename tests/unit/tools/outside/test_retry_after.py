"""How long servers ask to wait."""

from datetime import UTC, datetime

import pytest

from pentad.tools.outside.retry_after import read_retry_after

NOW = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("1.5", 1.5),
        ("999999999", 86_400.0),
        ("Mon, 30 Nov 2026 08:00:30 GMT", 30.0),
        ("Mon, 30 Nov 2026 07:59:00 GMT", 0.0),
        ("Mon, 30 Nov 2026 08:00:30 -0000", 30.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400.0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("٣", None),
        ("nan", None),
        ("1e9", None),
        ("Mon, 99 Nov 2026 08:00:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert read_retry_after({"retry-after": text}, now=NOW) == seconds

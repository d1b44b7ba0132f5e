"""``Prefer: wait=N``."""

import pytest

from pentad.api.views.waiting import parse_wait_seconds


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, None),
        ("", None),
        ("wait=10", 10),
        ("WAIT = 10", 10),
        ('wait="10"', 10),
        ("respond-async, wait=10", 10),
        ("wait=10; x=y", 10),
        ("wait=0", 0),
        ("wait=26", 25),
        ("wait=9999", 25),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("wait=ten", None),
        ("wait", None),
        ("await=10", None),
    ],
)
def test_a_wish_is_read_and_capped(prefer: str | None, seconds: int | None) -> None:
    assert parse_wait_seconds(prefer) == seconds

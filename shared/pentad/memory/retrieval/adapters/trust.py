"""What clients of vector stores check servers with."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl


@cache
def get_trust() -> "ssl.SSLContext":
    """Return what every client of httpx2 would make for itself: to read the list of authorities takes 20 ms."""
    import httpx2

    return httpx2.create_ssl_context()

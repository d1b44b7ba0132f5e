"""Put a whole result to a signed address of S3, once and without following where that points."""

import http.client
import ssl
from urllib.parse import urlsplit

from pentad.domain.errors import StoreUnavailable

_SECONDS = 20.0
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def put_by_http(url: str, data: bytes) -> None:
    """Store the bytes; see `PutWhole`. Plain HTTP goes to this machine only, which is where a twin is.

    Raises:
        StoreUnavailable: they were not taken. Nothing of the address is in the message: it is a credential.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        made: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, parts.port, timeout=_SECONDS, context=ssl.create_default_context()
        )
    elif host in _LOOPBACK:
        made = http.client.HTTPConnection(host, parts.port, timeout=_SECONDS)
    else:
        raise StoreUnavailable("the address for the whole result is not https")
    try:
        made.request("PUT", f"{parts.path}?{parts.query}", data)
        status = made.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise StoreUnavailable(f"the whole result was not accepted: {type(error).__name__}") from error
    finally:
        made.close()
    if status != http.client.OK:
        raise StoreUnavailable(f"the whole result was not accepted: {status}")

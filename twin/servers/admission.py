"""Which requests a server of the twin takes: those for its own names, and not those that a web page sent.

A web page may make the user's browser send requests to 127.0.0.1: under a name of the page's own that now leads here
(DNS rebinding, seen by Host), or from another origin (seen by Origin and Sec-Fetch-Site, which browsers set and pages
cannot).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection
from functools import lru_cache
from urllib.parse import urlsplit

from twin.servers.head import Head
from twin.servers.messages import Refused

AllowsOrigin = Callable[[str | None], bool]
"""Whether pages of an origin may send requests; None is a page whose origin the browser does not tell."""


class Admission:
    """Decides by a request's head.

    Args:
        hosts: names of this machine beside ``localhost`` and the loopback addresses.
        allows_origin: allows further origins.
    """

    def __init__(self, hosts: Collection[str] = (), allows_origin: AllowsOrigin | None = None) -> None:
        self._hosts = frozenset(name.lower().rstrip(".") for name in hosts)
        self._allows_origin = allows_origin
        self._is_own = lru_cache(256)(self._is_own_name)

    def check(self, head: Head) -> None:
        """Let a request through.

        Raises:
            Refused: 400, 403 or 421.
        """
        self._check_host(head)
        headers = head.headers
        origin = headers.get("origin")
        if origin is not None:
            if not self._is_own(_read_origin(origin)) and not self._may_call(origin):
                raise Refused(403, "foreign_origin", _explain(f"a page of '{origin[:100]}'"))
        elif headers.get("sec-fetch-site") == "cross-site" and not _is_navigation(head) and not self._may_call(None):
            raise Refused(403, "foreign_origin", _explain("a page of another site"))

    def _check_host(self, head: Head) -> None:
        host = head.headers.get("host")
        if host is None:
            if head.protocol != "HTTP/1.0":
                raise Refused(400, "bad_request", "the request has no 'host' header")
            return
        named = [host] if head.target.startswith("/") else [host, _read_authority(head.target)]
        for one in named:
            if not self._is_own(_read_name(one)):
                raise Refused(
                    421,
                    "foreign_host",
                    f"'{one[:100]}' is not a name of this machine that is known here: ask for 127.0.0.1 or localhost, "
                    "or start the twin with '--allow-host NAME'",
                )

    def _may_call(self, origin: str | None) -> bool:
        return self._allows_origin is not None and self._allows_origin(origin)

    def _is_own_name(self, name: str) -> bool:
        name = name.lower().rstrip(".")
        # Resolvers give names below localhost the loopback address only (RFC 6761).
        if name == "localhost" or name.endswith(".localhost") or name in self._hosts:
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False


def _explain(who: str) -> str:
    return f"{who} may not send requests here; if it is yours, start the twin with '--allow-host NAME', its host"


def _is_navigation(head: Head) -> bool:
    """Whether a user follows a link: the page that holds it gets nothing to see."""
    headers = head.headers
    return (
        head.method in ("GET", "HEAD")
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )


def _read_name(host: str) -> str:
    """Return the name in a Host header without its port; what is not one is no name of ours."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, _, port = host.partition(":")
    return name if port.isdigit() or not port else ""


def _read_authority(target: str) -> str:
    """Return the authority of an absolute request target; none of ours where it has another form."""
    scheme, _, rest = target.partition("://")
    return rest.partition("/")[0].partition("?")[0] if scheme.lower() in ("http", "https") else ""


def _read_origin(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""

"""A tool's allowlist: which hosts it reaches, on which ports, and whether at addresses that are not public.

| entry | reaches |
|---|---|
| ``api.example.com`` | https, port 443, at public addresses |
| ``*.example.com`` | the same for all names below it |
| ``https://erp.example.com/base`` | what a URL says: scheme, host and port; its path does not count |
| ``erp.example.com:8069``, ``10.1.2.3`` | that host and port, also at private addresses |
| ``127.0.0.1:8080``, ``http://localhost:8080`` | this machine: an address or ``localhost``, by name only |
| ``public`` | any host, http and https on their own ports, at public addresses |
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pentad.domain.errors import ConfigurationError, PentadError
from pentad.tools.egress.addresses import Address, judge_address, parse_address
from pentad.tools.egress.urls import DEFAULT_PORTS, Destination, parse_host, parse_url

PUBLIC: Final = "public"
_EXAMPLES: Final = '"api.example.com", "*.example.com", "http://localhost:8080" or "public"'
_LOCAL: Final = "localhost"


@dataclass(frozen=True)
class EgressEntry:
    """One entry of an allowlist.

    Args:
        text: as it was written.
        host: that it names; with ``below`` the names below it; empty for any.
        below: it stands for the names below the host.
        schemes: http, https.
        port: None for the scheme's own.
        address: where the host is one.
        explicit: it names a port or an address, so that addresses that are not public count too.
    """

    text: str
    host: str
    below: bool = False
    schemes: tuple[str, ...] = ("https",)
    port: int | None = None
    address: Address | None = None
    explicit: bool = False

    def fits(self, place: Destination) -> bool:
        """Return whether it is about this place."""
        if place.scheme not in self.schemes or place.port != (self.port or DEFAULT_PORTS[place.scheme]):
            return False
        return self.names(place.host)

    def names(self, host: str) -> bool:
        """Return whether it is about a host, on whichever port."""
        if not self.host:
            return True
        return host.endswith(f".{self.host}") if self.below else host == self.host

    def fits_socket(self, host: str, port: int) -> bool:
        """Return whether it is about a connection of which no scheme is known."""
        ports = (self.port,) if self.port else tuple(DEFAULT_PORTS[scheme] for scheme in self.schemes)
        return port in ports and self.names(host)

    def allows(self, address: Address) -> bool:
        """Return whether its host may be at an address."""
        standing, _ = judge_address(address)
        if standing == "loopback":
            return self.explicit and (self.address is not None or self.host == _LOCAL)
        return standing == "public" or (standing == "private" and self.explicit)


class Allowlist:
    """What one tool may reach.

    Args:
        entries: as the tool declares them, without ``settings.``.

    Raises:
        ConfigurationError: an entry can't be read, or names what no tool may reach.
    """

    def __init__(self, entries: Sequence[str]) -> None:
        self._entries = tuple(parse_entry(text) for text in entries)

    def __repr__(self) -> str:
        """Return the entries."""
        return f"Allowlist({', '.join(entry.text for entry in self._entries)})"

    def find(self, place: Destination) -> tuple[EgressEntry, ...]:
        """Return the entries that are about a place."""
        return tuple(entry for entry in self._entries if entry.fits(place))

    def find_names(self, host: str) -> tuple[EgressEntry, ...]:
        """Return the entries that are about a host."""
        return tuple(entry for entry in self._entries if entry.names(host))

    def find_socket(self, host: str, port: int) -> tuple[EgressEntry, ...]:
        """Return the entries that are about a connection of which no scheme is known."""
        return tuple(entry for entry in self._entries if entry.fits_socket(host, port))

    def describe(self) -> str:
        """Return the entries, for a message."""
        return ", ".join(f"'{entry.text}'" for entry in self._entries[:20]) or "nothing"


def parse_entry(text: str) -> EgressEntry:
    """Return an entry of an allowlist.

    Raises:
        ConfigurationError: it can't be read, or names what no tool may reach.
    """
    if not isinstance(text, str) or not text or len(text) > 300:
        raise _refuse(text, "is not a host")
    if text == PUBLIC:
        return EgressEntry(text, "", schemes=("https", "http"))
    try:
        entry = _parse_url_entry(text) if "://" in text else _parse_host_entry(text)
    except ConfigurationError:
        raise
    except PentadError as error:
        raise _refuse(text, f"can't be read: {error.message}") from None
    if entry.address is not None and judge_address(entry.address)[0] == "never":
        raise _refuse(text, f"is {judge_address(entry.address)[1]}, which no tool may reach")
    return entry


def _parse_url_entry(text: str) -> EgressEntry:
    place = parse_url(text)
    explicit = place.address is not None or re.search(r"//[^/?#]+:\d+(?:[/?#]|\Z)", text) is not None
    return EgressEntry(
        text, place.host, schemes=(place.scheme,), port=place.port, address=place.address, explicit=explicit
    )


def _parse_host_entry(text: str) -> EgressEntry:
    below = text.startswith("*.")
    name, port = _split_port(text.removeprefix("*."))
    if parse_address(name) is not None and ":" in name:
        host, address = parse_host(name, bracketed=True)
    else:
        host, address = parse_host(name)
    if "*" in name or (below and ("." not in host or address is not None or port is not None)):
        raise _refuse(text, "matches too many hosts")
    if address is None and "." not in host and host != _LOCAL and port is None:
        raise _refuse(text, "is not a full host name")
    explicit = address is not None or port is not None
    schemes = ("https", "http") if explicit else ("https",)
    return EgressEntry(text, host, below, schemes, port, address, explicit)


def _split_port(text: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"(\[[^\]]*\]|[^:]*):(\d{1,5})", text, re.ASCII)
    if match is None:
        return text.strip("[]"), None
    port = int(match[2])
    if not 0 < port < 65_536:
        raise _refuse(text, "has no such port")
    return match[1].strip("[]"), port


def _refuse(text: object, why: str) -> ConfigurationError:
    return ConfigurationError(f"the entry {text!r:.120} of egress {why}", field="egress", fix=f"write {_EXAMPLES}")

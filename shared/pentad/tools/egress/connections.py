"""Which connections the code of a tool may open by itself: what its allowlist says, as `EgressClient` reads it.

A socket has no scheme: an entry is about its own port, or about 443 (and 80, where it takes http). A name is checked
when it is resolved, and the addresses that it had are remembered; an address is checked when it is connected to.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from pentad.domain.errors import PentadError, PolicyDenied
from pentad.tools.egress.addresses import judge_address, parse_address, unwrap_address
from pentad.tools.egress.allowlist import Allowlist
from pentad.tools.egress.urls import DEFAULT_PORTS, parse_host, parse_url

_MOST_ADDRESSES: Final = 4_096
"""Resolved addresses that are remembered; the oldest goes. A connection to a forgotten one is refused."""
_MOST_OWN: Final = 1_000
_MOST_TOLD: Final = 100


class OwnEndpoints:
    """Where a function's own runtime connects to beside its tool: endpoints of AWS, and addresses that Lambda gives it.

    Names and ports of all calls of a process; each is there because the runtime asked for it.
    """

    def __init__(self) -> None:
        self._places: set[tuple[str, int]] = set()
        self._origins: set[str] = set()

    def add(self, url: str) -> None:
        """Let the runtime connect to the host of a URL; one that can't be read, or is one too many, adds nothing."""
        origin = "/".join(url.split("/", 3)[:3])
        if origin in self._origins or len(self._origins) >= _MOST_OWN:
            return
        self._origins.add(origin)
        with suppress(PentadError):
            place = parse_url(origin.partition("?")[0])
            self._places.add((place.host, place.port))

    def has_name(self, host: str) -> bool:
        """Return whether a host is one of them, on any port."""
        return any(host == name for name, _ in self._places)

    def has(self, host: str, port: int) -> bool:
        """Return whether a host is one of them on a port."""
        return (host, port) in self._places


class ConnectionRules:
    """What the code of one tool may resolve and connect to.

    Args:
        tool: its name, for messages.
        allowlist: what it declares.
        own: where its runtime connects to.
        on_refused: told of each host and port that was refused, once.
    """

    def __init__(
        self,
        tool: str,
        allowlist: Allowlist,
        own: OwnEndpoints,
        on_refused: Callable[[str], None] = lambda place: None,
    ) -> None:
        self._tool = tool
        self._allowlist = allowlist
        self._own = own
        self._on_refused = on_refused
        self._names: dict[str, set[str]] = {}
        self._told: set[str] = set()

    def check_name(self, name: str, port: int | None = None) -> None:
        """Check a name before it is resolved: who asks a foreign server of names has told it something.

        Raises:
            PolicyDenied: the tool may not reach it.
        """
        host = _read_name(name)
        if host is not None and parse_address(host) is not None:
            return  # nobody is asked for it, and it is checked when it is connected to
        if host is None or not (self._own.has_name(host) or self._allowlist.find_names(host)):
            raise self._refuse(host or name, port)

    def remember(self, name: str, addresses: Iterable[str]) -> None:
        """Keep which addresses a name had when it was resolved."""
        host = _read_name(name)
        if host is None:
            return
        for text in addresses:
            address = _read_address(text)
            if address is None:
                continue
            names = self._names.pop(address, set())
            self._names[address] = names | {host}
            if len(self._names) > _MOST_ADDRESSES:
                self._names.pop(next(iter(self._names)), None)

    def check_address(self, text: str, port: int) -> None:
        """Check an address before it is connected or sent to.

        Raises:
            PolicyDenied: the tool may not reach it.
        """
        address = parse_address(text)
        if address is None:
            self.check_name(text, port)
            raise PolicyDenied(
                f"the tool '{self._tool}' connects to the name {text!r:.100}, whose address nobody has checked",
                field="egress",
                fix="resolve it first, as socket.create_connection does, and connect to its address",
            )
        plain = unwrap_address(address)
        names = self._names.get(str(plain), set()) - {str(plain)}
        if any(self._own.has(host, port) for host in (str(plain), *names)):
            return
        entries = [entry for host in (str(plain), *sorted(names)) for entry in self._allowlist.find_socket(host, port)]
        if any(entry.allows(plain) for entry in entries):
            return
        raise self._refuse(min(names, default=str(plain)), port, judge_address(plain)[1] if entries else None)

    def check_reverse(self, text: str) -> None:
        """Check an address, or a name, before it is asked for the name that it has.

        Raises:
            PolicyDenied: the tool has nothing to do with it.
        """
        address = _read_address(text)
        if address is None:
            self.check_name(text)
        elif address not in self._names and address not in ("127.0.0.1", "::1") and not self._own.has_name(address):
            raise self._refuse(address, None)

    def _refuse(self, host: str, port: int | None, standing: str | None = None) -> PolicyDenied:
        place = f"{host[:253]}:{port}" if port is not None else host[:253]
        if place not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(place)
            self._on_refused(place)
        entry = place.removesuffix(f":{DEFAULT_PORTS['https']}")
        why = (
            ""
            if standing is None or standing == "public"
            else f": it leads to an address that is not public ({standing})"
        )
        return PolicyDenied(
            f"the tool '{self._tool}' may not connect to '{place}'{why}",
            field="egress",
            fix=f"its egress is {self._allowlist.describe()}; to allow it, write '{entry}' into egress of @tool",
        )


def _read_name(name: str) -> str | None:
    try:
        return parse_host(name)[0]
    except PentadError:
        address = parse_address(name)  # one of IPv6
        return None if address is None else str(unwrap_address(address))


def _read_address(text: str) -> str | None:
    address = parse_address(text)
    return None if address is None else str(unwrap_address(address))

"""Read a URL once: what is checked is what is connected to, sent as Host and named to the certificate."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode, urljoin, urlsplit

from pentad.domain.display.host_names import encode_host
from pentad.domain.display.unicode_text import replace_halves
from pentad.domain.errors import ToolFailed
from pentad.tools.egress.addresses import Address, parse_address

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LONGEST: Final = 8_000
_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f\\\ud800-\udfff]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER: Final = re.compile(r"(?:0x[0-9a-f]*|\d+)")
_SAFE: Final = "/:?#[]@!$&'()*+,;=~%-._"
_FIX: Final = "give an address like https://api.example.com/path"


@dataclass(frozen=True)
class Destination:
    """Where a URL leads.

    Args:
        scheme: http or https.
        host: in lower case and ASCII, without a dot at the end; an address without brackets.
        port: TCP's.
        target: path and query, as they are sent.
        address: where the host is an address.
    """

    scheme: str
    host: str
    port: int
    target: str
    address: Address | None = None

    @property
    def origin(self) -> tuple[str, str, int]:
        """What credentials are for."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if DEFAULT_PORTS[self.scheme] == self.port else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL in full."""
        return f"{self.scheme}://{self.authority}{self.target}"


def parse_url(url: str, params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None) -> Destination:
    """Return where a URL leads.

    Args:
        url: http or https, without user and password.
        params: added to its query; half of a surrogate pair in them is U+FFFD.

    Raises:
        ToolFailed: it is not one that is taken; the message says why, and does not repeat it.
    """
    if not isinstance(url, str) or len(url) > _LONGEST:
        raise _refuse(f"has more than {_LONGEST:,} characters")
    if _FORBIDDEN.search(url):
        raise _refuse("holds a space, a backslash, a control character or half of a surrogate pair")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refuse("can't be read") from None
    scheme = parts.scheme.lower()
    if scheme not in DEFAULT_PORTS:
        raise _refuse("begins with neither https:// nor http://")
    if "@" in parts.netloc:
        raise _refuse("holds a user or a password")
    # `urlsplit` takes more than one reading of what is between the slashes; only the plain one is taken here.
    bracketed = parts.netloc.startswith("[")
    shape = r"\[[0-9A-Fa-f:.]{2,45}\](?::\d{0,5})?" if bracketed else r"[^\[\]:%]{1,255}(?::\d{0,5})?"
    if not re.fullmatch(shape, parts.netloc, re.ASCII if bracketed else 0):
        raise _refuse("has a host that can't be read")
    host, address = parse_host(parts.hostname or "", bracketed=bracketed)
    if port == 0:
        raise _refuse("names the port 0")
    return Destination(
        scheme, host, port or DEFAULT_PORTS[scheme], _build_target(parts.path, parts.query, params), address
    )


def parse_host(text: str, *, bracketed: bool = False) -> tuple[str, Address | None]:
    """Return a host in its one spelling, and the address that it is, if it is one.

    Raises:
        ToolFailed: it is no host, or an address in a spelling (``0x7f.1``, ``2130706433``) that programs read
            differently.
    """
    if bracketed:
        address = parse_address(text)
        if address is None or address.version == 4:
            raise _refuse("has brackets around something that is not an IPv6 address")
        return str(address), address
    host = _encode_name(text).removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refuse("has a host that is neither a name nor an address")
    if not _NUMBER.fullmatch(labels[-1]):
        return host, None
    address = parse_address(host)
    if address is None:
        raise ToolFailed(
            "the address has a host in a numeric form that is not supported",
            field="url",
            fix="write an IPv4 address as four decimal numbers, without leading zeros",
        )
    return str(address), address


def join_url(base: Destination, location: str) -> Destination:
    """Return where a redirect leads.

    Raises:
        ToolFailed: see `parse_url`.
    """
    if _CONTROL.search(location):
        raise _refuse("of a redirect holds a backslash, a control character or half of a surrogate pair")
    try:
        joined = urljoin(base.url, location.strip(" "))
    except ValueError:
        raise _refuse("of a redirect can't be read") from None
    return parse_url(_quote(joined.partition("#")[0]))


def _encode_name(text: str) -> str:
    try:
        return encode_host(text)
    except ValueError:
        raise _refuse("has a host that is not a name") from None


def _build_target(path: str, query: str, params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None) -> str:
    pairs = list(params.items()) if isinstance(params, Mapping) else list(params or ())
    given = [(replace_halves(str(name)), value) for name, value in pairs if value is not None]
    added = urlencode([(name, _to_text(value)) for name, value in _spread(given)])
    whole = "&".join(part for part in (_quote(query), added) if part)
    target = (_quote(path) or "/") + (f"?{whole}" if whole else "")
    if len(target) > _LONGEST:
        raise _refuse(f"has more than {_LONGEST:,} characters")
    return target


def _spread(pairs: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Return pairs with one value each: a list is the parameter again and again."""
    return [(name, one) for name, value in pairs for one in (value if isinstance(value, list | tuple) else (value,))]


def _to_text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else replace_halves(str(value))


def _quote(text: str) -> str:
    return quote(text, safe=_SAFE)


def _refuse(why: str) -> ToolFailed:
    return ToolFailed(f"the address {why}", field="url", fix=_FIX)

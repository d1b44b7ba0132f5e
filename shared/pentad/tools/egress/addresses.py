"""Which IP addresses a tool may connect to: all that are public, by a table of our own.

The table has the special-purpose registries of IANA for both families ("IANA IPv4 Special-Purpose Address Registry",
"IANA IPv6 Special-Purpose Address Registry"), the multicast blocks, and what AWS answers to inside of a function.
`ipaddress.is_global` is not asked: it takes addresses of NAT64, of 6to4 and of IPv4 translation as they look, and not
for the IPv4 address that they lead to; and what it says differs between versions of Python.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, Literal

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Standing = Literal["public", "private", "loopback", "never"]
"""``private`` and ``loopback`` may be reached where the allowlist names host and port; ``never`` never."""

_TABLE: Final[tuple[tuple[str, Standing, str], ...]] = (
    # IPv4
    ("0.0.0.0/8", "never", "this network"),
    ("10.0.0.0/8", "private", "private"),
    ("100.64.0.0/10", "private", "shared by carriers"),
    ("127.0.0.0/8", "loopback", "loopback"),
    ("169.254.0.0/16", "never", "link-local: the metadata and credentials of AWS"),
    ("172.16.0.0/12", "private", "private"),
    ("192.0.0.0/24", "never", "protocol assignments"),
    ("192.0.2.0/24", "never", "documentation"),
    ("192.31.196.0/24", "never", "AS112"),
    ("192.52.193.0/24", "never", "AMT"),
    ("192.88.99.0/24", "never", "6to4 relays"),
    ("192.168.0.0/16", "private", "private"),
    ("192.175.48.0/24", "never", "AS112"),
    ("198.18.0.0/15", "never", "benchmarks"),
    ("198.51.100.0/24", "never", "documentation"),
    ("203.0.113.0/24", "never", "documentation"),
    ("224.0.0.0/4", "never", "multicast"),
    ("240.0.0.0/4", "never", "reserved, and broadcast"),
    # IPv6; what is outside of 2000::/3 and not here is not assigned
    ("::/128", "never", "unspecified"),
    ("::1/128", "loopback", "loopback"),
    ("64:ff9b:1::/48", "never", "local translation to IPv4"),
    ("100::/64", "never", "discarded"),
    ("100:0:0:1::/64", "never", "dummy prefix"),
    ("2001::/23", "never", "protocol assignments, with Teredo and ORCHID"),
    ("2001:db8::/32", "never", "documentation"),
    ("2002::/16", "never", "6to4"),
    ("2620:4f:8000::/48", "never", "AS112"),
    ("3fff::/20", "never", "documentation"),
    ("5f00::/16", "never", "segment routing"),
    ("fd00:ec2::/32", "never", "the metadata and credentials of AWS"),
    ("fc00::/7", "private", "unique local"),
    ("fe80::/10", "never", "link-local"),
    ("fec0::/10", "never", "site-local"),
    ("ff00::/8", "never", "multicast"),
)
_NETWORKS: Final[tuple[tuple[Network, Standing, str], ...]] = tuple(
    (IPv6Network(block) if ":" in block else IPv4Network(block), standing, what) for block, standing, what in _TABLE
)
_ASSIGNED: Final = IPv6Network("2000::/3")
_EMBEDDING: Final = tuple(
    IPv6Network(block)
    for block in (
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated (SIIT)
        "64:ff9b::/96",  # NAT64 of everybody
        "::/96",  # IPv4-compatible
    )
)
"""The last 32 bits are an IPv4 address, which the connection leads to."""


def judge_address(address: Address) -> tuple[Standing, str]:
    """Return what may be done with an address, and what it is for.

    An IPv4 address within an IPv6 one counts as itself.
    """
    plain = unwrap_address(address)
    for network, standing, what in _NETWORKS:
        if plain.version == network.version and plain in network:
            return standing, what
    if isinstance(plain, IPv6Address) and plain not in _ASSIGNED:
        return "never", "not assigned"
    return "public", "public"


def unwrap_address(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, or the address itself."""
    if isinstance(address, IPv4Address) or address in (IPv6Address("::"), IPv6Address("::1")):
        return address
    if any(address in network for network in _EMBEDDING):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def parse_address(text: str) -> Address | None:
    """Return an address in its usual spelling, without a zone; None for anything else."""
    if "%" in text:
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None

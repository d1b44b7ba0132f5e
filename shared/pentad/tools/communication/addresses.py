"""Check who may be written to: addresses of email by form and domain, phone numbers by form and country."""

import re
from collections.abc import Sequence

from pentad.domain.display.host_names import encode_host
from pentad.domain.errors import InvalidInput, PolicyDenied

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_MAX_LOCAL, _MAX_DOMAIN = 64, 253
"""Octets, RFC 5321 section 4.5.3.1."""
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_TRUNK = re.compile(r"\(\s*0\s*\)")
"""The zero that is dialled within a country only, as people write it: +49 (0)30 1234567."""


def check_address(address: str, field: str) -> str:
    """Return an address of email in its plain form, with the domain in lower case ASCII.

    Args:
        address: such as ``mary@example.com``, without a name.
        field: the argument it stands in, for the message.

    Raises:
        InvalidInput: it is no address, or one that SMTP without extensions can't carry.
    """
    local, at, domain = address.strip().rpartition("@")
    domain = _encode_domain(domain)
    if not at or len(local) > _MAX_LOCAL or not _LOCAL.fullmatch(local) or not _is_domain(domain):
        raise InvalidInput(
            f"'{_shorten(address)}' is not an email address",
            field=field,
            fix="give the plain address, such as mary@example.com, without a name and in ASCII before the @",
        )
    return f"{local}@{domain}"


def check_domains(addresses: Sequence[str], allowed: Sequence[str]) -> None:
    """Refuse recipients whose domain is not among those that the settings allow.

    Args:
        addresses: checked addresses.
        allowed: domains (``example.com``), domains with all below them (``*.example.com``, which is not
            ``example.com`` itself), or ``*`` for any.

    Raises:
        PolicyDenied: it names the addresses.
    """
    refused = [address for address in addresses if not is_allowed(address.rpartition("@")[2], allowed)]
    if refused:
        named = ", ".join(f"'{address}'" for address in refused)
        raise PolicyDenied(
            f"no email may go to {named}: the domain is not among 'recipient_domains'",
            fix=f"write to an address of {', '.join(allowed)}, or let an operator add the domain in tools.yaml",
        )


def check_patterns(patterns: Sequence[str]) -> None:
    """Refuse patterns of domains that could never fit.

    Raises:
        ValueError: names the pattern, for a model of settings.
    """
    for pattern in patterns:
        if pattern != "*" and not _is_domain(_encode_domain(pattern.removeprefix("*."))):
            raise ValueError(f"'{_shorten(pattern)}' is not a domain; write example.com, *.example.com or *")


def is_allowed(domain: str, allowed: Sequence[str]) -> bool:
    """Return whether a domain is among those allowed; see `check_domains`."""
    for pattern in allowed:
        wanted = _encode_domain(pattern.removeprefix("*."))
        if pattern == "*" or (domain.endswith(f".{wanted}") if pattern.startswith("*.") else domain == wanted):
            return True
    return False


def check_phone(number: str, allowed: Sequence[str], field: str) -> str:
    """Return a phone number in the form E.164.

    Args:
        number: such as ``+49 30 1234567``; spaces, dots, hyphens and brackets are dropped, and so is ``(0)``.
        allowed: beginnings of numbers that may be written to, such as ``+49``; ``+`` for any.
        field: the argument it stands in.

    Raises:
        InvalidInput: it is no number with a country code.
        PolicyDenied: its country is not allowed.
    """
    plain = re.sub(r"[ .()/-]", "", _TRUNK.sub("", number.strip()))
    if not _E164.fullmatch(plain):
        raise InvalidInput(
            f"'{_shorten(number)}' is not a phone number in the form E.164",
            field=field,
            fix="write it with + and the country code, such as +493012345678",
        )
    if not any(plain.startswith(prefix) for prefix in allowed):
        raise PolicyDenied(
            f"no text message may go to '{plain}': its country is not among 'prefixes'",
            fix=f"write to a number that begins with {', '.join(allowed)}, or let an operator add its beginning",
        )
    return plain


def _is_domain(domain: str) -> bool:
    labels = domain.split(".")
    return len(domain) <= _MAX_DOMAIN and len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels)


def _encode_domain(domain: str) -> str:
    """Return a domain in lower case ASCII, or an empty string where that can't be."""
    try:
        return encode_host(domain).rstrip(".")
    except ValueError:
        return ""


def _shorten(given: str) -> str:
    return "".join(mark if mark.isprintable() else "?" for mark in given[:80])

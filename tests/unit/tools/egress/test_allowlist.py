"""What entries of an allowlist reach, and which are refused."""

from ipaddress import ip_address

import pytest

from pentad.domain.errors import ConfigurationError
from pentad.tools.egress.allowlist import Allowlist, parse_entry
from pentad.tools.egress.urls import parse_url


@pytest.mark.parametrize(
    ("entry", "url", "reached"),
    [
        ("api.example.com", "https://api.example.com/x", True),
        ("api.example.com", "https://API.example.com./x", True),
        ("api.example.com", "http://api.example.com/x", False),
        ("api.example.com", "https://api.example.com:8443/x", False),
        ("api.example.com", "https://x.api.example.com/", False),
        ("api.example.com", "https://api.example.com.evil.example/", False),
        ("*.example.com", "https://a.example.com/", True),
        ("*.example.com", "https://a.b.example.com/", True),
        ("*.example.com", "https://example.com/", False),
        ("*.example.com", "https://badexample.com/", False),
        ("https://erp.example.com/base", "https://erp.example.com/other", True),
        ("https://erp.example.com/base", "http://erp.example.com/base", False),
        ("http://erp.example.com:8069", "http://erp.example.com:8069/", True),
        ("erp.example.com:8069", "http://erp.example.com:8069/", True),
        ("erp.example.com:8069", "https://erp.example.com:8069/", True),
        ("erp.example.com:8069", "http://erp.example.com/", False),
        ("localhost", "https://localhost/", True),
        ("127.0.0.1:9000", "http://127.0.0.1:9000/", True),
        ("127.0.0.1:9000", "http://127.0.0.1:9001/", False),
        ("[::1]:9000", "http://[0:0::1]:9000/", True),
        ("::1", "http://[::1]/", True),
        ("bücher.example", "https://xn--bcher-kva.example/", True),
        ("public", "https://anything.example/", True),
        ("public", "http://anything.example/", True),
        ("public", "http://anything.example:8080/", False),
        ("public", "http://8.8.8.8/", True),
    ],
)
def test_an_entry_reaches(entry: str, url: str, reached: bool) -> None:
    assert bool(Allowlist([entry]).find(parse_url(url))) is reached


@pytest.mark.parametrize(
    ("entry", "address", "allowed"),
    [
        ("api.example.com", "8.8.8.8", True),
        ("api.example.com", "10.0.0.1", False),
        ("api.example.com", "127.0.0.1", False),
        ("public", "10.0.0.1", False),
        ("erp.example.com:8069", "10.0.0.1", True),
        ("erp.example.com:443", "10.0.0.1", True),
        ("https://erp.example.com:8069/x", "10.0.0.1", True),
        ("https://erp.example.com/x", "10.0.0.1", False),
        ("erp.example.com:8069", "127.0.0.1", False),
        ("erp.example.com:8069", "169.254.169.254", False),
        ("localhost:80", "127.0.0.1", True),
        ("localhost:80", "::1", True),
        ("localhost", "127.0.0.1", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("127.0.0.1:80", "127.0.0.1", True),
        ("127.0.0.1:80", "169.254.169.254", False),
    ],
)
def test_private_addresses_need_an_entry_with_port_or_address(entry: str, address: str, allowed: bool) -> None:
    assert parse_entry(entry).allows(ip_address(address)) is allowed


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "*",
        "*.com",
        "*.*.example.com",
        "a.*.example.com",
        "*.example.com:443",
        "*.127.0.0.1",
        "example",
        "https://user:pw@example.com",
        "ftp://example.com",
        "example.com:0",
        "example.com:99999",
        "example.com/path",
        "0x7f.1",
        "2130706433",
        "169.254.169.254",
        "169.254.170.2:80",
        "http://169.254.169.254/latest",
        "[fd00:ec2::254]:80",
        "http://[fd00:ec2::254]/",
        "0.0.0.0",  # noqa: S104
        "exa mple.com",
        " example.com",
    ],
)
def test_an_entry_that_says_too_much_or_nothing_is_refused(entry: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Allowlist([entry])
    assert caught.value.field == "egress"
    assert caught.value.fix

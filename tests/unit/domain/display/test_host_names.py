"""Names of hosts are written as browsers write them; what they refuse is refused."""

import pytest

from pentad.domain.display.host_names import encode_host


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Example.COM", "example.com"),
        ("m\u00fcnchen.de", "xn--mnchen-3ya.de"),
        ("M\u00dcNCHEN\u3002de.", "xn--mnchen-3ya.de."),
        ("stra\u00dfe.de", "xn--strae-oqa.de"),
        ("STRA\u1e9eE.de", "xn--strae-oqa.de"),
        ("\u03b1\u03c2.gr", "xn--mxa8a.gr"),
        ("\uff11\uff12\uff17.0.0.1", "127.0.0.1"),
        ("a_b.example", "a_b.example"),
        ("", ""),
    ],
)
def test_a_name_has_one_spelling(name: str, written: str) -> None:
    assert encode_host(name) == written


@pytest.mark.parametrize("name", ["a\u200db.de", "\u00fc" * 70 + ".de", "\u00e4..de", "\u2603\ud800.de", "\u00e4/b.de"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        encode_host(name)

"""Values of secrets are masked in every encoding that texts commonly have."""

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from pentad.domain.secrets.known import KnownSecrets

VALUE = 'correct horse/"<battery>&staple=ü\\'
FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent": lambda value: quote(value, safe=""),
    "percent, small": lambda value: quote(value, safe="").lower(),
    "percent, a path": quote,
    "a form": quote_plus,
    "percent, twice": lambda value: quote(quote(value, safe=""), safe=""),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 without padding": lambda value: base64.b64encode(value.encode()).decode().rstrip("="),
    "base64 of URLs": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "a Basic header": lambda value: base64.b64encode(f"user:{value}".encode()).decode(),
    "a Basic header of a longer user": lambda value: base64.b64encode(f"users:{value}".encode()).decode(),
    "base64 of JSON around it": lambda value: base64.b64encode(f'{{"x": "{value}"}}'.encode()).decode(),
    "base32": lambda value: base64.b32encode(value.encode()).decode(),
    "hex": lambda value: value.encode().hex(),
    "HEX": lambda value: value.encode().hex().upper(),
    "JSON": json.dumps,
    "JSON with its letters": lambda value: json.dumps(value, ensure_ascii=False),
    "JSON within JSON": lambda value: json.dumps(json.dumps(value)),
    "HTML": html.escape,
    "HTML text": lambda value: html.escape(value, quote=False),
    "repr": repr,
}


@pytest.mark.parametrize("encode", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("value", [VALUE, "hunter-and-gatherer", "pässword/with+signs", "a" * 400, "x1y2z3"])
def test_a_value_is_found_in_any_encoding(encode: Callable[[str], str], value: str) -> None:
    known = KnownSecrets()
    known.add(value)
    shown = known.mask(f"before {encode(value)} after, and ({encode(value)})", "[masked]")
    assert encode(value) not in shown
    assert shown.startswith("before ")
    assert shown.count("[masked]") == 2


def test_other_words_stay() -> None:
    known = KnownSecrets()
    known.add("hunter-and-gatherer", "abcde", "", "secret-two")
    text = "abcde hunter gatherer c29tZSBvdGhlciBiYXNlNjQgdGV4dA== /a/path/of/files %20 {}"
    assert known.mask(text, "[masked]") == text


def test_a_longer_value_goes_before_a_shorter_one_within_it() -> None:
    known = KnownSecrets()
    known.add("secret", "secret-longer")
    assert known.mask("secret-longer secret", "*") == "* *"


def test_the_values_that_were_used_last_are_kept() -> None:
    known = KnownSecrets()
    for number in range(600):
        known.add(f"value-{number:03}")
    assert known.mask("value-000 value-599", "*") == "value-000 *"
    assert "value" not in repr(known)
    known.clear()
    assert known.mask("value-299", "*") == "value-299"

"""A text is masked as it stands and as it reads; what is not found in either stays as it was given."""

import base64
import json

import pytest

from pentad.domain.secrets import mask_secrets
from pentad.domain.secrets.readings import (
    LONGEST_ENCODED,
    mask_base64,
    mask_hex,
    mask_in_all_readings,
    read_plainly,
)

GITHUB = "ghp_" + "a8Kd93jSkq02LmZx7VbNcPwRtYuEiOaSdFgH"
STRIPE = "sk_live_" + "51Hq9ZkLm3TnB7sWd1LfHj8E"


def _hide(text: str) -> str:
    return text.replace("key", "[key]")


@pytest.mark.parametrize("text", ["a k\u200bey", "a \uff4bey", "a &#107;ey", "a \uff4b\u200b&#101;y", "a ke\u0336y"])
def test_what_only_the_plain_reading_shows_is_masked_in_it(text: str) -> None:
    assert mask_in_all_readings(text, _hide) == "a [key]"


@pytest.mark.parametrize("text", ["a k\u200bex", "\uff4bex &amp; &#107;ex", "cafe\u0301", "\ufb01n \u00bd"])
def test_a_text_without_any_comes_back_as_it_was(text: str) -> None:
    assert mask_in_all_readings(text, _hide) == text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("&lt;b&gt; &quot;&amp;&#92;&apos;", "&lt;b&gt; &quot;&amp;&#92;&apos;"),
        ("a&#64;b&commat;c&nbsp;d&#x2e;", "a@b@c d."),
        ("&nosuch; &; &#; &#9999999;", "&nosuch; &; &#; \ufffd"),
        ("&#10;&#0;&#x9b;", "&#10;\ufffd\u203a"),
        ("\u00e9 e\u0301 \uff21\U0001d7d0 1\ufe0f\u20e3", "\u00e9 \u00e9 A2 1"),
    ],
)
def test_signs_that_mean_something_keep_their_names(text: str, plain: str) -> None:
    assert read_plainly(text) == plain


def test_a_text_that_grows_too_much_is_read_as_it_is() -> None:
    grown = "\ufdfa" * 10
    assert read_plainly(grown) == grown


@pytest.mark.parametrize("secret", [GITHUB, STRIPE])
def test_a_key_in_hex_or_full_width_is_masked(secret: str) -> None:
    wide = "".join(chr(ord(one) + 0xFEE0) for one in secret)
    for spelt in (
        secret.encode().hex(),
        f"0x{secret.encode().hex().upper()}",
        wide,
        f"&#{ord(secret[0])};{secret[1:]}",
    ):
        assert mask_secrets(f"it is {spelt}, so") == "it is [masked], so"


def test_a_short_signature_in_an_address_is_masked() -> None:
    assert (
        mask_secrets("https://h.example/?a=1&sig=zQ8w7e6r5t4y3u2iAbCd&b=2") == "https://h.example/?a=1&sig=[masked]&b=2"
    )
    for text in ("config=1&sig=2", "the sig=none"):
        assert mask_secrets(text) == text


@pytest.mark.parametrize(
    "data", [b"\x00\x01key and more bytes", b"\xff\xfekey in other bytes", b"nothing at all in here"]
)
def test_what_is_encoded_and_no_words_with_it_stays(data: bytes) -> None:
    text = f"{data.hex()} {base64.b64encode(data).decode()}"

    def look(said: str) -> str | None:
        return "[key]" if "key" in said else None

    assert mask_base64(mask_hex(text, look), look) == text


def test_a_file_in_base64_is_not_read() -> None:
    text = base64.b64encode(b"key " * LONGEST_ENCODED).decode()
    assert mask_base64(text, lambda said: "[key]") == text
    short = base64.b64encode(b"key " * 100).decode()
    assert mask_base64(short, lambda said: "[key]") == "[key]"


def test_json_stays_json_where_it_is_masked_in_its_plain_reading() -> None:
    wide = "".join(chr(ord(one) + 0xFEE0) for one in STRIPE)
    given = {"key": f"see {wide}", "said": "\uff02a\uff3c \ufe68 &quot;b&#34; &#92; &lt;", "also": "\uff21"}
    masked = json.loads(mask_secrets(json.dumps(given, ensure_ascii=False)))
    assert masked == {**given, "key": "see [masked]", "also": "A"}

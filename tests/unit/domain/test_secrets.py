"""Secrets are told by their form, and words that only look like them stay."""

import pytest

from pentad.domain.secrets import MASK, is_secret_name, mask_secrets

TAIL = "a1B2c3D4e5F6g7H8i9J0"


@pytest.mark.parametrize(
    "secret",
    [
        f"ptd.acme.k1.{TAIL}",
        f"sk-ant-api03-{TAIL}",
        f"sk-proj-{TAIL}",
        f"pcsk_{TAIL}",
        "AKIA" + "A1B2C3D4E5F6G7H8",
        f"ghp_{TAIL}",
        f"xoxb-{TAIL}",
        f"eyJ{TAIL}.eyJ{TAIL}.{TAIL}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{TAIL}\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_a_secret_is_masked_wherever_it_stands(secret: str) -> None:
    assert mask_secrets(f"before {secret} after") == f"before {MASK} after"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"Authorization: Bearer {TAIL}", f"Authorization: Bearer {MASK}"),
        ("postgres://ada:s3cret@db/x", f"postgres://ada:{MASK}@db/x"),
        ('{"api_key": "abcdefgh12"}', '{"api_key": "[masked]"}'),
        ("password=hunter2hunter2&x=1", f"password={MASK}&x=1"),
    ],
)
def test_a_secret_is_masked_by_what_stands_before_it(text: str, masked: str) -> None:
    assert mask_secrets(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "password: required field",
        "the token limit is 8192",
        "task-oriented",
        "undo_0000_00001_00",
        "https://example.org/a:b@c",
        "bearer of bad news",
        "ada@example.org",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert mask_secrets(text) == text


def test_addresses_are_masked_on_request() -> None:
    assert mask_secrets("to ada@example.org", emails=True) == f"to {MASK}"


@pytest.mark.parametrize("name", ["api_key", "Set-Cookie", "taskToken", "AUTHORIZATION"])
def test_fields_that_hold_secrets_are_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["tokens", "input_tokens", "idempotency_key", "key_id"])
def test_fields_that_hold_none_are_known(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "text", ["a." * 50_000, "sk- " * 30_000, "://a:" * 20_000, "token=" * 20_000, "-----BEGIN " * 9_000]
)
def test_long_text_without_secrets_passes_through(text: str) -> None:
    # The suite's own time limit would tell of a pattern that backtracks.
    assert len(mask_secrets(text, emails=True)) == len(text)

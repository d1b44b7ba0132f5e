"""Secrets are told by their form, and words that only look like them stay."""

import json
from typing import Any

import pytest

from pentad.domain.secrets import KNOWN, MASK, is_secret_name, mask_secrets

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
        f"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK: A\n\n{TAIL}\n-----END RSA PRIVATE KEY-----",
        rf"-----BEGIN PRIVATE KEY-----\\\\n{TAIL}\\\\n-----END PRIVATE KEY-----",
        rf"-----BEGIN PRIVATE KEY-----\n{TAIL}\n{TAIL}\n-----END PRIVATE KEY-----",
        f"-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n{TAIL}\n-----END PGP PRIVATE KEY BLOCK-----",
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{TAIL}",
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
        ("curl -s -u ada:Tr0ub4dor3 https://x.example", f"curl -s -u ada:{MASK} https://x.example"),
        ("curl --user 'ada:Tr0ub4dor3' x", f"curl --user 'ada:{MASK}' x"),
        ("mysql --password Tr0ub4dor3 -h db", f"mysql --password {MASK} -h db"),
        ("x --client-secret 'Tr0ub4dor3'", f"x --client-secret '{MASK}'"),
        ("<db><password>Tr0ub4dor3</password></db>", f"<db><password>{MASK}</password></db>"),
        ("<wsse:Password> Tr0ub4dor3 </wsse:Password>", f"<wsse:Password> {MASK} </wsse:Password>"),
        (f"https://api.telegram.org/bot110201543:AA{'aB3d' * 8}/getMe", f"https://api.telegram.org/bot{MASK}/getMe"),
        ("Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", f"Authorization: Basic {MASK}"),
        ('{"Authorization": "Token a1b2c3d4e5"}', f'{{"Authorization": "{MASK}"}}'),
        ('headers = {"Authorization": "Token a1b2c3d4e5"}', f'headers = {{"Authorization": "{MASK}"}}'),
        ("proxy-authorization: 8f3a9c2e11aa", f"proxy-authorization: {MASK}"),
        ("Set-Cookie: session=8f3a9c2e11aa; Path=/", f"Set-Cookie: session={MASK}"),
        ("x-goog-api-key: 8f3a9c2e11aa4411", f"x-goog-api-key: {MASK}"),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", f"AWS_SECRET_ACCESS_KEY={MASK}"),
        ('"SecretAccessKey": "wJalrXUtnFEMI/K7MDENG"', f'"SecretAccessKey": "{MASK}"'),
        (r"{\"clientSecret\": \"abcdefgh12\"}", rf"{{\"clientSecret\": \"{MASK}\"}}"),
        ("MY_APP_PROD_EU_DB_PASSWORD=s3cret-word", f"MY_APP_PROD_EU_DB_PASSWORD={MASK}"),
        ("Server=db;Uid=a;Pwd=s3cret-word;", f"Server=db;Uid=a;Pwd={MASK};"),
        ("postgresql://ada:p@ss:w0rd@db/x", f"postgresql://ada:{MASK}@db/x"),
        ("redis://:s3cret@cache:6379/0", f"redis://:{MASK}@cache:6379/0"),
        ("amqps%3A%2F%2Fada%3As3cret%40mq%2Fx", "amqps://ada:[masked]@mq/x"),
        (f"?X-Amz-Signature={'0a' * 32}&x=1", f"?X-Amz-Signature={MASK}&x=1"),
        (f"?X-Amz-Security-Token={TAIL}%2F{TAIL}&x=1", f"?X-Amz-Security-Token={MASK}&x=1"),
        ('settings["api_key"] = "abcdefgh12"', f'settings["api_key"] = "{MASK}"'),
        (f"Private-Lines: 1\n{TAIL}{TAIL}=\nPrivate-MAC: 1", f"Private-Lines: {MASK}\nPrivate-MAC: 1"),
        (f"?X-Goog-Signature={'0a' * 64}&x=1", f"?X-Goog-Signature={MASK}&x=1"),
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
        "authorization: required for everything",
        "a cookie: 2 cups of sugar and flour",
        "the bearer extraordinarily patient waits",
        "token = tokenizer.encode2(text)",
        "client.connect(password=read_password2(name), secret=config.v2)",
        "password=old_password2",
        "PWD=/home/user1/project",
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:pentad-dev/slack-a1B2c3",
        "https://localhost:8080/a@b",
        "sk-SK, sk-spinner-container-large, sk-learn",
        "it begins with -----BEGIN PRIVATE KEY----- and ends with another line",
        '{"next_token": "a1b2c3d4e5f6", "secret_id": "a1b2c3d4e5"}',
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert mask_secrets(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "with --password required, or --token FILE",
        "kubectl --key /etc/tls/key1.pem --token $TOKEN2 --secret-name prod-db-17",
        "--password --port 54321000",
        "curl -u asks who; curl -u ada: x",
        "<token>next</token><token> 12 </token><title>secret 12345</title>",
        "<password>[masked]</password>",
        "robot110201543 is 3 m high",
    ],
)
def test_words_of_command_lines_and_of_xml_stay(text: str) -> None:
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


HIDDEN = (
    "\u200b",
    "\u00ad",
    "\u200d",
    "\ufe0f",
    "\u2060",
    "\x00",
    "\x1b[31m",
    "\u202e",
    "\ufeff",
    "\U000e0041",
    "\u3164",
)


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("secret", ["hunter-two-words", "ghp_" + "a1" * 18])
@pytest.mark.parametrize("write", [str, repr, json.dumps, lambda text: json.dumps(json.dumps(text))])
def test_a_secret_is_masked_though_characters_that_nobody_is_shown_stand_in_it(
    hidden: str, secret: str, write: Any
) -> None:
    KNOWN.add("hunter-two-words")
    try:
        text = write(f"it is {secret[:5]}{hidden}{secret[5:9]}{hidden}{secret[9:]}, they say")
        masked = mask_secrets(text)
    finally:
        KNOWN.clear()
    assert MASK in masked and "they say" in masked
    assert secret[9:] not in masked and secret[5:9] not in masked


@pytest.mark.parametrize(
    "text",
    [
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \U0001f468\u200d\U0001f469 and zero\u200bwidth",
        r"C:\users\x \u1234 \x41 \u200b",
        "\x1b[31mred\x1b[0m",
        "a\r\nb",
    ],
)
def test_what_holds_no_secret_keeps_its_hidden_characters(text: str) -> None:
    KNOWN.add("hunter-two-words")
    try:
        assert mask_secrets(text) == text
    finally:
        KNOWN.clear()

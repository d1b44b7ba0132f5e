"""Made-up credentials of every form in use, and the places in which they turn up. None is in a file as a whole."""

import base64
import json
import random
import re
import string
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

DATA: Final = Path(__file__).parents[3] / "data" / "secrets"
_ALPHABETS: Final = {
    "A": string.ascii_letters + string.digits,
    "U": string.ascii_uppercase + string.digits,
    "a": string.ascii_letters,
    "b": string.ascii_letters + string.digits + "+/",
    "d": string.digits,
    "l": string.ascii_lowercase + string.digits,
    "w": string.ascii_letters + string.digits + "_-",
    "x": string.digits + "abcdef",
}
_CROCKFORD: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_FIELD: Final = re.compile(r"\{([AUabdlwx])(\d+)\}")


def read_templates() -> dict[str, str]:
    """Return the templates of credentials by name: ``glpat-{w20}`` has twenty letters, digits, ``_`` or ``-``."""
    lines = (DATA / "credentials.tsv").read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines)


def fill_template(template: str, seed: int) -> str:
    """Return a credential of a template, the same for the same seed."""
    rng = random.Random(seed)

    def fill_field(match: re.Match[str]) -> str:
        alphabet = _ALPHABETS[match[1]]
        made = "".join(rng.choice(alphabet) for _ in range(int(match[2])))
        # A separator at an end belongs to no issuer's keys, and one digit is in all but one in a thousand.
        return re.sub("^[^A-Za-z0-9]|[^A-Za-z0-9]$", "q", made)

    return _FIELD.sub(fill_field, template)


def list_random_parts(template: str, credential: str) -> list[str]:
    """Return what of a credential must not be left: each random part of eight characters or more."""
    pattern = re.escape(template)
    pattern = re.sub(r"\\\{([AUabdlwx])(\d+)\\\}", lambda one: f"(.{{{one[2]}}})", pattern)
    match = re.fullmatch(pattern, credential, re.DOTALL)
    assert match is not None
    return [part for part in match.groups() if len(part) >= 8]


def _encode(text: str, before: str) -> str:
    return base64.b64encode(f'{before}"key": "{text}", "region": "eu"}}'.encode()).decode()


PLACES: Final[dict[str, Callable[[str], str]]] = {
    "prose": lambda one: f"It says {one} is wrong.",
    "the end of a sentence": lambda one: f"The key was {one}",
    "JSON": lambda one: json.dumps({"a": {"value": one}, "b": 1}),
    "JSON, in a line of its own": lambda one: json.dumps({"a": f"the key:\n{one}\nend"}),
    "Python, in a line of its own": lambda one: repr(repr(f"the key:\n{one}\tend")),
    "JSON in JSON": lambda one: json.dumps({"body": json.dumps({"value": one})}),
    "a shell": lambda one: f"export SOMETHING='{one}' && run",
    "YAML": lambda one: f"a:\n  some_name: {one}\n  b: 1",
    "a header": lambda one: f"X-Something: {one}\r\nHost: a",
    "an address": lambda one: f"GET https://example.org/x?q={quote(one, safe='')}&page=2 HTTP/1.1",
    "an address within an address": lambda one: f"/go?to={quote('https://a.org/?q=' + quote(one, safe=''), safe='')}",
    "a traceback": lambda one: f'  File "a.py", line 3, in f\nValueError: invalid value {one!r}',
    "base64": lambda one: f"data: {_encode(one, '{')}",
    "base64, a byte later": lambda one: f"data: {_encode(one, '{ ')}",
    "base64, two bytes later": lambda one: f"data: {_encode(one, '{  ')}",
    "base64 for addresses": lambda one: base64.urlsafe_b64encode(f"user:{one}".encode()).decode().rstrip("="),
}


def iter_harmless() -> Iterator[str]:
    """Yield what looks random and is no credential: ids, hashes, files."""
    rng = random.Random(7)

    def pick(alphabet: str, count: int) -> str:
        return "".join(rng.choice(_ALPHABETS.get(alphabet, alphabet)) for _ in range(count))

    for _ in range(200):
        uuid = "-".join(pick("x", length) for length in (8, 4, 4, 4, 12))
        yield uuid
        yield f'{{"request_id": "{uuid}", "key_id": "{pick("x", 12)}", "etag": "\\"{pick("x", 32)}\\""}}'
        yield f"sha256:{pick('x', 64)} sha1 {pick('x', 40)} md5 {pick('x', 32)} {pick('x', 7)}"
        yield f"--hash=sha256:{pick('x', 64)}"
        yield f"sha512-{pick('b', 86)}=="
        yield f"run_{pick(_CROCKFORD, 26)} apr_{pick(_CROCKFORD, 26)}_00001"
        yield f"undo_run_{pick(_CROCKFORD, 26)}_00001_00"
        yield f"arn:aws:secretsmanager:eu-central-1:{pick('d', 12)}:secret:pentad-dev/slack-{pick('A', 6)}"
        yield f"arn:aws:states:eu-central-1:{pick('d', 12)}:execution:pentad-dev-agent-a:run_{pick('l', 26)}"
        yield f"Root=1-{pick('x', 8)}-{pick('x', 24)};Parent={pick('x', 16)};Sampled=1"
        yield f"00-{pick('x', 32)}-{pick('x', 16)}-01"
        yield f"msg_{pick('A', 24)} toolu_{pick('A', 24)} call_{pick('A', 24)}"
        yield f"chatcmpl-{pick('A', 29)} req_{pick('A', 24)}"
        yield f"cus_{pick('A', 14)} pi_{pick('A', 24)} AC{pick('x', 32)} pk_test_{pick('A', 24)}"
        yield f"data:image/png;base64,{base64.b64encode(rng.randbytes(600)).decode()}"
        yield base64.b64encode(rng.randbytes(30) + bytes(60) + rng.randbytes(30)).decode()
        yield base64.b64encode(b"A harmless sentence, such as people write, in base64.").decode()
        yield f"https://example.org/a/{pick('w', 30)}?page=2&cursor={pick('w', 40)}&next_token={pick('w', 40)}"
        yield f"s3://bucket-{pick('l', 20)}/{uuid}/part-{pick('d', 5)}.parquet"
        yield f"i-{pick('x', 17)} vpc-{pick('x', 17)} ami-{pick('x', 17)} sg-{pick('x', 17)}"
        yield f"commit {pick('x', 40)} (v1.{pick('d', 2)}.0), 2026-11-29T20:52:36.{pick('d', 6)}Z"
        yield f"+49 30 {pick('d', 8)}"
        yield f"DE{pick('d', 20)} {pick('d', 16)} 978-3-16-{pick('d', 6)}-0"
        yield f"AAAAB3NzaC1yc2EAAAADAQABAAABgQ{pick('b', 340)} ann@laptop"
        yield f"SHA256:{pick('b', 43)} {pick('U', 26)} {pick('A', 21)}"

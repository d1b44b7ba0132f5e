"""Whatever a tool answers, the values of its secrets are not in it: results, undo data, errors of every kind."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pentad.domain.display.hidden import strip_hidden
from pentad.domain.errors import InvalidInput, ToolFailed, ToolThrottled
from pentad.domain.secrets import KNOWN, mask_secrets
from pentad.domain.secrets.known import MOST_OF_ONE
from pentad.tools.credentials.adapters.store_memory import MemorySecrets
from pentad.tools.credentials.masking import mask_known, register_secret
from pentad.tools.credentials.tool_secrets import DeclaredToolSecrets, SecretCache
from pentad.tools.declare import ToolContext, Undoable, tool
from pentad.tools.outside.places import SecretPlace
from pentad.tools.runtime.handed import HandedCall, read_answer
from pentad.tools.runtime.outcome import ToolOutcome, make_outcome
from pentad.tools.runtime.serve import ServeTool

PASSWORD = "plain words of a password"
PIN = 48151623
TEXT = json.dumps({"host": "mail.example.com", "user": "agents", "password": PASSWORD, "pin": PIN, "port": 587})
HIDDEN = {"zero width": "\u200b", "colour": "\x1b[0m", "soft hyphen": "\xad", "tag": "\U000e0041", "joiner": "\u200d"}


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    yield
    KNOWN.clear()


def take_back(data: dict[str, Any], context: ToolContext) -> None:
    raise ToolFailed(f"can't log in with {context.secret('smtp').fields['password']}")


@tool(effects="external", secrets=["smtp"], undo=take_back, safe_output=["*"])
def leak(how: str, context: ToolContext) -> Undoable[Any]:
    """Show a secret in one way or another."""
    credential = context.secret("smtp")
    password = credential.fields["password"]
    basic = base64.b64encode(f"agents:{password}".encode()).decode()
    if how == "throttled":
        raise ToolThrottled(f"slow down, {password}", fix=f"wait, {password}")
    if how == "failed":
        raise ToolFailed(f"refused {basic}", fix=f"not {password}")
    if how == "invalid":
        raise InvalidInput(f"{password} is not an address", field="how", fix=password)
    if how == "unexpected":
        raise ValueError(credential.text)
    if how == "wrong":
        return Undoable({password, password + "2"}, {})
    if how in HIDDEN:
        text = password.replace(" ", HIDDEN[how], 1).replace(HIDDEN[how], f" {HIDDEN[how]}", 1)
        return Undoable(
            {"text": text, text: [text, PIN, float(PIN), {"n": PIN, "text": str(PIN)}]}, {"kept": "a\u200bb"}
        )
    if how == "large numbers":
        return Undoable([[PIN, 12345678]] * 120_000, {})
    if how == "large":
        return Undoable(f"{password} " * 120_000, {})
    value = {"note": f"Authorization: Basic {basic}", password: [[password.encode().hex()]], "host": "mail.example.com"}
    return Undoable(value, {"again": password})


def serve(how: str, op: Any = "run", *, store: MemorySecrets | None = None, cache: SecretCache | None = None) -> str:
    handed = HandedCall(
        op=op,
        tenant_id="acme",
        run_id="run_1",
        session_id="ses_1",
        agent="assistant",
        step=1,
        index=0,
        effect_key="k",
        arguments={"how": how} if op == "run" else {},
        undo={} if op == "undo" else None,
        deadline=2e9,
    )
    secrets = DeclaredToolSecrets(
        {"smtp": SecretPlace(secret="s")}, shared=store or MemorySecrets({"s": TEXT}), cache=cache
    )
    served = ServeTool(
        leak,
        records=lambda _: None,  # type: ignore[arg-type,return-value]
        now=lambda: datetime.now(UTC),
        secrets=secrets,
        on_failure=secrets.forget_used,
    )
    return served(handed, remaining_seconds=lambda: 30.0).model_dump_json()


@pytest.mark.parametrize("how", ["throttled", "failed", "invalid", "unexpected", "wrong", "large", "value"])
def test_no_answer_holds_a_value_of_a_secret(how: str) -> None:
    shown = serve(how)
    assert "[masked]" in shown or how == "wrong"
    for form in (PASSWORD, base64.b64encode(f"agents:{PASSWORD}".encode()).decode(), PASSWORD.encode().hex()):
        assert form not in shown
    assert "mail.example.com" in shown or how != "value"


def read_in_another_process(how: str) -> tuple[ToolOutcome, str]:
    """Return what the runner, which knows no secret, shows of an answer of the tool's own process."""
    script = "import sys; from tests.unit.tools.credentials.test_masking import serve; print(serve(sys.argv[1]))"
    command = [sys.executable, "-c", script, how]
    told = subprocess.run(
        command, capture_output=True, check=True, env={**os.environ, "PYTHONPATH": ":".join(sys.path)}
    )
    return make_outcome(read_answer(told.stdout), reversible=True, safe=["*"]), told.stdout.decode()


@pytest.mark.parametrize("how", [*HIDDEN, "large numbers"])
def test_a_secret_with_hidden_characters_in_it_or_as_a_number_never_reaches_the_runner(how: str) -> None:
    outcome, sent = read_in_another_process(how)
    for text in (outcome.text, strip_hidden(sent)):
        assert PASSWORD not in text and str(PIN) not in text
    assert "[masked]" in outcome.text
    if how in HIDDEN:
        assert outcome.undo == {"kept": "a\u200bb"}, "what holds no secret is left as it is"
    else:
        assert "12345678" in outcome.text


def test_numbers_that_hold_no_secret_stay_numbers() -> None:
    register_secret(TEXT)
    assert mask_known([PIN, float(PIN), -PIN, 4815162, 587, 1.5, True, None]) == ["[masked]"] * 3 + [
        4815162,
        587,
        1.5,
        True,
        None,
    ]


def test_no_answer_of_an_undo_holds_one() -> None:
    shown = serve("", op="undo")
    assert '"kept"' in shown
    assert PASSWORD not in shown


@pytest.mark.parametrize(("how", "op"), [("throttled", "run"), ("failed", "run"), ("unexpected", "run"), ("", "undo")])
def test_a_call_that_failed_has_its_secrets_read_anew_in_the_next(how: str, op: str) -> None:
    store, cache = MemorySecrets({"s": TEXT}), SecretCache()
    serve("value", store=store, cache=cache)
    assert cache.get("s") is not None
    serve("value", store=store, cache=cache)
    assert cache.get("s") is not None
    serve(how, op=op, store=store, cache=cache)
    assert cache.get("s") is None


def test_where_to_use_a_secret_is_not_masked() -> None:
    register_secret(TEXT)
    told = f"agents could not log in to mail.example.com with {PASSWORD}"
    assert mask_known(told) == mask_secrets(told) == "agents could not log in to mail.example.com with [masked]"
    assert mask_known([{"text": TEXT}]) == [{"text": "[masked]"}]


def test_a_secret_that_is_no_json_is_masked_as_a_whole() -> None:
    register_secret("https://hooks.example.com/abc\n")
    assert mask_known("posted to https://hooks.example.com/abc") == "posted to [masked]"


def test_a_password_within_an_address_is_masked_on_its_own() -> None:
    url = "postgresql://agents:p%40ss-of-db@db.example.com/app"
    register_secret(json.dumps({"url": url}))
    assert mask_known(["p@ss-of-db", "p%40ss-of-db", url, "db.example.com"]) == ["[masked]"] * 3 + ["db.example.com"]


SECRET = "correct-horse-battery"
PEM = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\nshort\n-----END KEY-----\n"


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ({"smtp": {"password": SECRET}}, SECRET),
        ({"keys": [{"id": 1, "value": SECRET}]}, SECRET),
        ({"a": {"b": {"c": [[SECRET]]}}}, SECRET),
        ([SECRET], SECRET),
        ({"tokens": [SECRET, "another-word"]}, SECRET),
        ({"pin": 73519284}, "73519284"),
        ({"smtp": {"pin": 73519284}}, "73519284"),
        ({"token": f"  {SECRET}\n"}, SECRET),
        ({"nested": {"url": f"postgresql://u:{SECRET}@db/app"}}, SECRET),
        ({"private_key": PEM}, "MIIEvQIBADANBgkqhkiG9w0B"),
        ({"google": {"private_key": PEM}}, "AQEFAASCBKcwggSjAgEAAoIB"),
        ({"token": "A1" * 30_000}, "A1" * 30_000),
        (PEM, "AQEFAASCBKcwggSjAgEAAoIB"),
        (f"\n {SECRET} \n", SECRET),
        (f'"{SECRET}"', SECRET),
        ("A1" * 32_768, "A1" * 32_768),
    ],
)
def test_a_value_is_masked_wherever_it_stands_in_its_secret(stored: Any, shown: str) -> None:
    register_secret(stored if isinstance(stored, str) else json.dumps(stored))
    assert mask_known(f"refused: {shown}.") == "refused: [masked]."
    assert mask_secrets(f"refused: {shown}.") == "refused: [masked]."


def test_where_to_use_a_nested_secret_is_not_masked() -> None:
    register_secret(json.dumps({"smtp": {"host": "mail.example.com", "users": {"name": "agents", "password": SECRET}}}))
    told = f"agents at mail.example.com: {SECRET}"
    assert mask_known(told) == "agents at mail.example.com: [masked]"


def test_the_frame_and_short_lines_of_a_key_stay_readable() -> None:
    register_secret(json.dumps({"key": PEM}))
    assert mask_known("-----BEGIN KEY----- is short") == "-----BEGIN KEY----- is short"


def test_a_secret_of_many_lines_pushes_out_neither_itself_nor_others() -> None:
    register_secret(SECRET)
    register_secret(json.dumps({"password": "another-secret", "lines": [f"line-number-{n:04}" for n in range(5_000)]}))
    assert mask_known(f"{SECRET} another-secret line-number-0001") == "[masked] [masked] [masked]"


def make_values(begin: str, count: int) -> dict[str, str]:
    return {f"key_{number}": f"{begin}-value-{number:04}" for number in range(count)}


def make_lines(begin: str, count: int) -> dict[str, str]:
    """Return one value with so many lines, which makes one more."""
    return {"key": "\n".join(f"{begin}-line-of-a-key-{number:04}" for number in range(count - 1))}


@pytest.mark.parametrize("make", [make_values, make_lines])
def test_every_value_of_secrets_at_their_largest_is_masked_also_after_a_second_one(make: Any) -> None:
    first, second = make("first", MOST_OF_ONE), make("second", MOST_OF_ONE)
    assert register_secret(json.dumps(first)) == register_secret(json.dumps(second)) == 0
    for secret in (first, second):
        shown = [line for value in secret.values() for line in (value, *value.splitlines())]
        assert mask_known([*shown, json.dumps(secret)]) == ["[masked]"] * (len(shown) + 1)


def test_a_secret_with_too_many_values_is_named_in_the_log_and_no_value_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    register_secret(json.dumps(make_values("fits", MOST_OF_ONE)), name="fitting")
    assert caplog.text == ""
    assert register_secret(json.dumps(make_values("many", MOST_OF_ONE + 44)), name="too-large") == 44
    assert "too-large" in caplog.text and f"has {MOST_OF_ONE + 44} values" in caplog.text
    assert "many-value" not in caplog.text


def test_a_value_that_is_nested_too_deeply_is_masked() -> None:
    value: Any = "x"
    for _ in range(200):
        value = [value]
    assert "[masked]" in json.dumps(mask_known(value))

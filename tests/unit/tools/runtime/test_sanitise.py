"""What a tool returned, made fit for a model."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from pentad.domain.errors import ToolFailed
from pentad.tools.runtime import outcome
from pentad.tools.runtime.outcome import ToolOutcome, make_error_answer
from pentad.tools.runtime.sanitise import (
    MAX_RESULT_BYTES,
    Cleaner,
    clean_text,
    describe_masked,
    render_result,
    to_json,
    truncate_text,
    undo_data,
)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\x1b[31mred\x1b[0m", "ared"),
        ("a\x1b]8;;http://x\x07link\x1b]8;;\x07", "alink"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("bidi\u202eevil", "bidievil"),
        ("tag\U000e0041\U000e0042s", "tags"),
        ("line\r\nnext\tcell\x00", "line\nnext\tcell"),
        ("lone\ud83d", "lone"),
        ("Zürich 東京 🎉", "Zürich 東京 🎉"),
        ("\u0645\u06cc\u200c\u062e\u0648", "\u0645\u06cc\u200c\u062e\u0648"),  # Persian
        ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"),  # Hindi
        (
            "\U0001f469\u200d\U0001f467 \u2764\ufe0f\u200d\U0001f525",
            "\U0001f469\u200d\U0001f467 \u2764\ufe0f\u200d\U0001f525",
        ),
        ("pa\u200dy \u200cBob\u200d", "pay Bob"),
        ("\u0915\u200d\u200c\u200d\u0937 \u0915\u200d", "\u0915\u0937 \u0915"),
        (
            "\u0d05\u0d35\u0d28\u0d4d\u200d \u0d35",
            "\u0d05\u0d35\u0d28\u0d4d\u200d \u0d35",
        ),  # Malayalam
        ("\u06f1\u06f3 \u0647\u200d.\u0634", "\u06f1\u06f3 \u0647\u200d.\u0634"),  # Persian, before a full stop
        ("\u0dc1\u0dca\u200d\u0dbb\u0dd3", "\u0dc1\u0dca\u200d\u0dbb\u0dd3"),  # Sinhala
        ("\u182e\u180b\u1823 pa\u180by", "\u182e\u180b\u1823 pay"),  # Mongolian; elsewhere a selector hides
    ],
)
def test_hidden_characters_go_and_words_stay(text: str, clean: str) -> None:
    assert clean_text(text) == clean


def test_a_key_split_by_a_hidden_character_is_still_masked() -> None:
    for hidden in ("\u200b", "\u200d", "\u200c\u200d", "\ufe0f", "\ufe00", "\U000e0100", "\U000e0041"):
        for begun in ("sk-abc", "sk-ab0"):
            assert clean_text(f"{begun}{hidden}" + "d3" * 10) == "[masked]"


def test_objects_become_json_with_clean_words_and_masked_fields() -> None:
    text = render_result({"when": date(2026, 3, 1), "price": Decimal("1.10"), "password": "hunter", "n": [1, "a\x00"]})
    assert json.loads(text) == {"when": "2026-03-01", "price": "1.10", "password": "[masked]", "n": [1, "a"]}


@pytest.mark.parametrize("value", [float("nan"), {"x": float("inf")}, object(), {"f": lambda: 1}])
def test_what_is_not_json_is_refused(value: object) -> None:
    with pytest.raises(ToolFailed):
        render_result(value)


def test_what_is_nested_too_deeply_is_refused() -> None:
    value: list[object] = []
    for _ in range(100):
        value = [value]
    with pytest.raises(ToolFailed):
        render_result(value)


@given(st.text(min_size=1), st.integers(min_value=150, max_value=300))
def test_bounded_text_is_never_longer_than_the_limit(text: str, limit: int) -> None:
    clean = text.encode(errors="ignore").decode() * 50
    assert len(truncate_text(clean, limit).encode()) <= limit


def test_text_at_the_limit_is_not_cut() -> None:
    assert truncate_text("x" * MAX_RESULT_BYTES) == "x" * MAX_RESULT_BYTES


@pytest.mark.parametrize("undo", [None, ["x"], {"x": float("nan")}, {"x": "y" * 40_000}])
def test_undo_data_that_can_not_be_kept_is_none(undo: object) -> None:
    assert undo_data(undo) is None


LINK = "https://files.example/a.pdf?X-Amz-Expires=300&X-Amz-Signature=" + "0f" * 32
PAGE = "eyJhbGciOiJIUzI1NiJ9.eyJvZmZzZXQiOjUwfQ.c2lnbmF0dXJlc2lnbmF0dXJl"


def test_what_is_declared_safe_is_not_masked_and_all_else_is_and_is_counted() -> None:
    value = {"link": LINK, "rows": [{"next_token": PAGE, "note": f"see {LINK} or {LINK}"}], "password": "hunter"}
    cleaner = Cleaner(["link", "next_token"])
    shown = json.loads(render_result(value, cleaner))
    assert (shown["link"], shown["rows"][0]["next_token"]) == (LINK, PAGE)
    assert ("0f0f" in shown["rows"][0]["note"], shown["password"], cleaner.masked) == (False, "[masked]", 3)


def test_a_safe_field_holds_safe_values_at_any_depth_and_a_secret_name_may_be_declared() -> None:
    value = {"links": {"first": [LINK]}, "cookie": "session=8f3a", "other": LINK}
    cleaner = Cleaner(["links", "cookie"])
    shown = json.loads(render_result(value, cleaner))
    assert (shown["links"]["first"], shown["cookie"], cleaner.masked) == ([LINK], "session=8f3a", 1)


def test_all_of_a_result_may_be_safe_and_hidden_characters_go_all_the_same() -> None:
    cleaner = Cleaner(["*"])
    assert render_result(f"here\u202e: {LINK}", cleaner) == f"here: {LINK}"
    assert json.loads(render_result({"password": PAGE}, cleaner)) == {"password": PAGE}
    assert cleaner.masked == 0


def test_a_large_result_that_is_text_already_keeps_its_safe_fields_where_it_was_cut_too() -> None:
    text = json.dumps({"link": LINK, "a": LINK, 'quo"te': LINK})[:-2]
    cleaner = Cleaner(["link", 'quo"te'])
    shown = cleaner.clean(text)
    assert (shown.count("0f" * 32), cleaner.masked) == (1, 2)  # the last value was cut, so it is no field


@pytest.mark.parametrize(
    ("field", "value", "masked"),
    [
        ("authorization", "approved", False),
        ("cookie", "chocolate", False),
        ("password", "", False),
        ("authorization", "Bearer abc", True),
        ("Set-Cookie", "id=a", True),
        ("password", "hunter", True),
    ],
)
def test_a_field_named_like_a_secret_that_holds_a_word_stays(field: str, value: str, masked: bool) -> None:
    assert json.loads(render_result({field: value})) == {field: "[masked]" if masked else value}


@pytest.mark.parametrize(
    ("value", "shown", "masked"),
    [
        ({"password": 1234}, {"password": "[masked]"}, 1),
        ({"api_key": ["k1", "k2"], "n": 2}, {"api_key": ["[masked]"] * 2, "n": 2}, 2),
        ({"api_keys": ["k1", 7]}, {"api_keys": ["[masked]"] * 2}, 2),
        ({"secret": {"user": "ada", "pin": 12.5}}, {"secret": {"user": "[masked]", "pin": "[masked]"}}, 2),
        ({"secret": [{"a": [[1]]}, None, True]}, {"secret": [{"a": [["[masked]"]]}, None, True]}, 1),
        ({"rows": [{"passwd": 0}]}, {"rows": [{"passwd": "[masked]"}]}, 1),
        ({"Set-Cookie": ["id=a", "b=c"]}, {"Set-Cookie": ["[masked]"] * 2}, 2),
        ({"cookie": {"kind": "chocolate"}}, {"cookie": {"kind": "chocolate"}}, 0),
        (
            {"authorization": {"password": "hunter", "state": "approved"}},
            {"authorization": {"password": "[masked]", "state": "approved"}},
            1,
        ),
        ({"password": None, "secret": False, "pwd": [], "apikey": {}, "cookie": ""}, None, 0),
        ({"secrets_of_success": 3, "key": 4, "token_count": 5}, None, 0),
    ],
)
def test_behind_a_secrets_name_every_value_is_masked_whatever_its_type(value: Any, shown: Any, masked: int) -> None:
    cleaner = Cleaner()
    assert json.loads(render_result(value, cleaner)) == (value if shown is None else shown)
    assert cleaner.masked == masked


def test_what_is_safe_stays_below_a_secrets_name_and_is_safe_all_the_way_down() -> None:
    value = {"secret": {"version": 3, "value": 7, "link": {"password": 5}}}
    cleaner = Cleaner(["version", "link"])
    assert json.loads(render_result(value, cleaner)) == {
        "secret": {"version": 3, "value": "[masked]", "link": {"password": 5}}
    }
    assert json.loads(render_result(value, Cleaner(["*"]))) == value


@pytest.mark.parametrize(
    ("value", "shown", "masked"),
    [
        ('{"password": "hunter", "pin": 1234}', '{"password": "[masked]", "pin": 1234}', 1),
        ({"body": '{"secret": {"a": "b", "n": 1}}'}, {"body": '{"secret": {"a": "[masked]", "n": "[masked]"}}'}, 2),
        ({"rows": ["password=hunter&user=a"]}, {"rows": ["password=[masked]&user=a"]}, 1),
        ("X-Api-Key: abc\nHost: a", "X-Api-Key: [masked]\nHost: a", 1),
        ('{"pass\u200bword": "hunter"}', '{"password": "[masked]"}', 1),
        ("the password: see the manual", "the password: see the manual", 0),
    ],
)
def test_a_text_that_holds_fields_is_masked_by_their_names_and_counted(value: Any, shown: Any, masked: int) -> None:
    cleaner = Cleaner()
    assert cleaner.clean_value(value) == shown
    assert cleaner.masked == masked


def test_what_is_safe_stays_in_a_text_that_holds_fields_too() -> None:
    text = json.dumps({"password": "hunter2hunter2", "secret": {"version": 3, "value": 7}, "pwd": "hunter"})
    cleaner = Cleaner(["password", "version"])
    shown = json.loads(cleaner.clean(text))
    assert shown == {
        "password": "hunter2hunter2",
        "secret": {"version": 3, "value": "[masked]"},
        "pwd": "[masked]",
    }
    assert cleaner.masked == 2
    assert Cleaner(["*"]).clean(text) == text


def test_a_name_and_its_value_are_not_parted_in_a_long_text() -> None:
    row = '"a": 1, "password": "hunter", "b": 2, '
    cleaner = Cleaner()
    shown = cleaner.clean("{" + row * 80_000)
    assert "hunter" not in shown and cleaner.masked == 80_000


class Told(BaseModel):
    """A model that holds whatever a tool puts into it."""

    named: Any


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("cut \ud83d", "cut \ufffd"),
        ("\ud83d\ude00", "\N{GRINNING FACE}"),
        (["\udfff", ("\udfff",)], ["\ufffd", ["\ufffd"]]),
        ({"k\ud83d": {"\ud83d": 1}, 2: "b"}, {"k\ufffd": {"\ufffd": 1}, "2": "b"}),
        ([Told(named={"k\ud83d": date(2026, 3, 1)})], [{"named": {"k\ufffd": "2026-03-01"}}]),
        ({"k\ud83d\ude00": "\ud83d"}, {"k\N{GRINNING FACE}": "\ufffd"}),
    ],
)
def test_half_a_character_is_one_unknown_character_at_any_depth(value: Any, read: Any) -> None:
    assert to_json(value) == read


def test_keys_that_differ_in_half_a_character_only_do_not_replace_each_other() -> None:
    with pytest.raises(ToolFailed, match="not JSON"):
        to_json({f"k{half}": 1 for half in ("\ud83d", "\ud83e")})


def test_a_model_is_told_how_much_was_masked() -> None:
    assert describe_masked(0) == ""
    assert "1 value was masked" in describe_masked(1)
    assert "3 values were masked" in describe_masked(3)


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (
            ImportError("cannot import name 'x' from 'functions.tools.a' (/var/task/functions/tools/a.py)"),
            "ImportError: cannot import name 'x' from 'functions.tools.a' (a.py)",
        ),
        (FileNotFoundError(2, "No such file", "/opt/w/x.db"), "FileNotFoundError: [Errno 2] No such file: 'x.db'"),
        (ValueError("see https://a.example/b/c.html, /v1/x"), "ValueError: see https://a.example/b/c.html, /v1/x"),
        (ToolFailed("put it in /orders/open.csv"), "ToolFailed: put it in /orders/open.csv"),
    ],
)
def test_what_a_tool_did_not_mean_to_say_names_no_folders(raised: Exception, told: str) -> None:
    assert ToolOutcome.from_error(raised).text == told


class Mute(Exception):
    """As of a library whose errors look up what they say."""

    def __str__(self) -> str:
        raise KeyError("no words")


def test_an_error_without_words_is_an_error_still() -> None:
    told = make_error_answer(Mute())
    assert (told.kind, told.text, told.error_type) == ("error", "Mute: its message can't be read", "Mute")


@pytest.mark.parametrize("kind", [ValueError, ToolFailed])
def test_of_an_endless_message_beginning_and_end_are_looked_at(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[int] = []

    def clean(words: str) -> str:
        looked_at.append(len(words))
        return clean_text(words)

    monkeypatch.setattr(outcome, "clean_text", clean)
    text = ToolOutcome.from_error(kind(f"begin {'x' * 20_000_000} end")).text
    assert text.startswith(f"{kind.__name__}: begin xxx")
    assert text.endswith(" end")
    assert len(text.encode()) <= 4_096
    assert sum(looked_at) < 201_000


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"plain \xc3\xbc", "plain ü"),
        (b"nearly all of it is text \xff", "nearly all of it is text \ufffd"),
        (b"\x89PNG\r\n\x1a\n" + b"\xff\xfe\x80" * 20, "[binary data: 68 bytes, SHA-256 "),
    ],
)
def test_bytes_are_text_or_said_to_be_binary(data: bytes, shown: str) -> None:
    assert render_result(data).startswith(shown)
    assert json.loads(render_result({"at": [data]}))["at"][0].startswith(shown)


@pytest.mark.parametrize("gap", ["\n", " ", ",", ""])
def test_a_long_text_is_cleaned_in_pieces_and_no_key_is_cut_by_one(gap: str) -> None:
    key, block = (
        "sk-ant-" + "a1" * 20,
        "-----BEGIN PRIVATE KEY-----\n"
        + ("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEA" + "ab12" * 4 + "\n") * 10
        + "-----END PRIVATE KEY-----",
    )
    for secret in (key, block):
        cleaner = Cleaner()
        filling = ("word" + gap) * (999_900 // len("word" + gap))
        text = f"{filling}\n{secret}\n{filling}{filling}"
        shown = cleaner.clean(text)
        assert secret not in shown and shown.count("[masked]") == 1 == cleaner.masked
        assert shown.replace("[masked]", "") == text.replace(secret, "")

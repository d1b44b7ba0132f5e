"""Arguments that could mean two things are not arguments."""

import pytest

from pentad.models.providers import strictjson


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": 1, "a": 2}', "twice"),
        ('{"b": {"a": 1, "a": 2}}', "twice"),
        ('{"a": NaN}', "NaN"),
        ('{"a": [Infinity]}', "NaN"),
        ('{"a": 1e999}', "NaN"),
        ('{"a": 1', "not valid JSON"),
        ("[1]", "not a JSON object"),
        ('{"a": ' + "[" * 40 + "]" * 40 + "}", "deeper"),
        ("[" * 200_000, "not valid JSON"),
        ('{"a": ' + "9" * 5_000 + "}", "NaN"),
    ],
)
def test_unfit_arguments_are_refused(text: str, says: str) -> None:
    value, wrong = strictjson.read_arguments(text)
    assert value is None
    assert says in wrong


@pytest.mark.parametrize(
    ("text", "value"), [("", {}), ("  ", {}), ('{"a": [1, {"b": null}]}', {"a": [1, {"b": None}]})]
)
def test_fit_arguments_are_read(text: str, value: dict[str, object]) -> None:
    assert strictjson.read_arguments(text) == (value, "")


@pytest.mark.parametrize("sign", ["", "-"])
def test_an_integer_that_python_does_not_read_leaves_the_rest_of_a_reply(sign: str) -> None:
    digits = "9" * 4_301
    assert strictjson.read(f'{{"a": {sign}{digits}, "b": 1}}') == {"a": float(f"{sign}inf"), "b": 1}
    assert strictjson.read_arguments(f'{{"a": {sign}{digits}}}') == (None, "holds NaN or Infinity")
    assert strictjson.find_absurd_count({"input_tokens": float(f"{sign}inf")})


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": "hi \xf0\x9f"}', {"a": "hi \ufffd"}),
        (b'{"a": "hi \xf0\x9f\x98", "b": "ok"}', {"a": "hi \ufffd", "b": "ok"}),
        (b'{"a": "\xed\xa0\xbd\xed\xb8\x80"}', {"a": "\ufffd" * 6}),
        (b'{"a\xff": ["caf\xe9"]}', {"a\ufffd": ["caf\ufffd"]}),
        (b'\xef\xbb\xbf{"a": "\xc3"}', {"a": "\ufffd"}),
        ('{"a": "é"}'.encode("utf-16"), {"a": "é"}),
    ],
)
def test_bytes_that_are_no_text_leave_the_rest_of_a_reply(body: bytes, value: dict[str, object]) -> None:
    assert strictjson.read(body) == value


def test_keys_that_bytes_no_longer_tell_apart_are_equal() -> None:
    assert "twice" in str(strictjson.find_problem(strictjson.read(b'{"\xf0": 1, "\xf1": 2}')))


@pytest.mark.parametrize("body", [b"\xff\xfe\xfa", b'{"a": \xf0\x9f}', b'{"a": "\xf0\x9f', b"<h1>caf\xe9</h1>"])
def test_bytes_that_are_no_text_outside_of_one_are_no_json(body: bytes) -> None:
    with pytest.raises(ValueError, match="line 1"):
        strictjson.read(body)


@pytest.mark.parametrize(
    ("usage", "why"),
    [
        ({"output_tokens": -5}, "output_tokens is -5"),
        ({"output_tokens": 1e30}, "output_tokens is 1e+30"),
        ({"output_tokens": 10**9 + 1}, "output_tokens is beyond any request"),
        ({"output_tokens": 10**400}, "output_tokens is beyond any request"),
        ({"output_tokens": -(10**400)}, "output_tokens is beyond any request"),
        ({"output_tokens": float("inf")}, "output_tokens is inf"),
        ({"prompt_tokens": "many"}, "prompt_tokens is no number"),
        ({"prompt_tokens": True}, "prompt_tokens is no number"),
        ({"prompt_tokens": [3]}, "prompt_tokens is no number"),
        ({"prompt_tokens_details": {"cached_tokens": 0.5}}, "cached_tokens is 0.5"),
        ({"prompt_tokens": "5", "completion_tokens": 5.0, "total_tokens": 10}, ""),
        ({"prompt_tokens": 5, "prompt_tokens_details": None, "cached_tokens": None}, ""),
        ({"prompt_tokens": 5, "cost": {"input_tokens_cost": 0.0012, "total_cost": 0.3}}, ""),
        (None, ""),
    ],
)
def test_a_count_that_can_be_none_is_named(usage: object, why: str) -> None:
    found = strictjson.find_absurd_count(usage)
    assert found.endswith(why) and bool(found) is bool(why)

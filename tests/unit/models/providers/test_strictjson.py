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
        ('{"a": ' + "9" * 5_000 + "}", "not valid JSON"),
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

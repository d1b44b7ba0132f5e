"""What a file of results may hold."""

from typing import Any

import pytest

from pentad.cli.commands.runs.fork import parse_results
from pentad.cli.console import CommandError


@pytest.mark.parametrize(
    ("text", "results"),
    [
        ("it is lost", [{"call": 0, "content": "it is lost"}]),
        ('{"result": "4711"}\n', [{"call": 0, "content": '{"result": "4711"}'}]),
        ('{"call": 1, "content": "x"}', [{"call": 1, "content": "x"}]),
        (
            '[{"call": "c1", "content": "x"}, {"call": 2, "content": "y", "is_error": true}]',
            [{"call": "c1", "content": "x"}, {"call": 2, "content": "y", "is_error": True}],
        ),
    ],
)
def test_words_one_result_or_a_list_of_them_are_taken(text: str, results: list[Any]) -> None:
    assert parse_results(text) == results


@pytest.mark.parametrize("text", ["[]", "[1]", '{"call": 1}', "12"])
def test_json_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match='"call"'):
        parse_results(text)

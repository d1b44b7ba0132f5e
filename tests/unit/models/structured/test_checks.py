"""Nothing a schema does not allow leaves the gateway."""

import pytest

from pentad.domain.models import StopReason
from pentad.models.structured.checks import diagnose_reply, find_problems, repair_note
from tests.unit.models.samples import ADD, SCHEMA, call, reply, request


def test_a_good_call_and_a_plain_answer_pass() -> None:
    assert find_problems(reply(call()), request(tools=(ADD,))) == ()
    assert find_problems(reply("Hello."), request()) == ()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (reply(call(a=1)), "'b' is a required property"),
        (reply(call(a="1", b=2)), "is not of type 'number'"),
        (reply(call(a=1, b=2, c=3)), "Additional properties"),
        (reply(call(tool="subtract")), "no tool 'subtract'; the tools are: add"),
        (reply(call("c1"), call("c1")), "two tool calls have the id 'c1'"),
        (reply(call(), problems=("the arguments of add are not valid JSON",)), "not valid JSON"),
        (reply(), "empty"),
        (reply("  "), "empty"),
    ],
)
def test_a_bad_reply_is_named(given: object, says: str) -> None:
    found = find_problems(given, request(tools=(ADD,)))  # type: ignore[arg-type]
    assert len(found) == 1
    assert says in found[0]


def test_a_call_where_no_tools_were_given_is_named() -> None:
    assert "the tools are: none" in find_problems(reply(call()), request())[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("The answer is 42", "not JSON alone"),
        ('{"answer": "42"}', "does not fit its schema"),
        ('{"answer": 1, "answer": 2}', "twice"),
    ],
)
def test_structured_output_that_does_not_fit_is_named(text: str, says: str) -> None:
    assert says in find_problems(reply(text), request(output_schema=SCHEMA))[0]


def test_structured_output_that_fits_passes() -> None:
    assert find_problems(reply('{"answer": 42}'), request(output_schema=SCHEMA)) == ()


def test_a_tool_call_before_the_structured_answer_is_not_held_to_its_schema() -> None:
    given = reply("Let me add.", call(), stop=StopReason.TOOL_CALLS)
    assert find_problems(given, request(tools=(ADD,), output_schema=SCHEMA)) == ()


def test_the_list_of_problems_is_bounded() -> None:
    given = reply(*(call(f"c{number}", "nothing") for number in range(50)))
    found = find_problems(given, request(tools=(ADD,)))
    assert len(found) == 5
    assert len(repair_note(found)) < 2_000


def test_an_end_for_a_call_without_one_is_named() -> None:
    said = reply("let me look", stop=StopReason.TOOL_CALLS)
    assert find_problems(said, request(tools=(ADD,))) == ("the reply ended to call a tool, and has no call",)


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        ("the arguments of add are not valid JSON", "the arguments of 'add' are not valid JSON"),
        ("the arguments of add are not a JSON object", "the arguments of 'add' are not a JSON object"),
        ("the arguments of add have the key 'SECRET' twice", "the arguments of 'add' could not be read"),
        ("the call of add has no usable id", "the call of 'add' has no usable id"),
        ("the call of add is not whole", "the call of 'add' is not whole"),
        ("the arguments of SECRET are not valid JSON", "the arguments of a tool that does not exist could not be read"),
        ("the arguments of additional are not valid JSON", "the arguments of a tool that does not exist could not be "
         "read"),
        ("a tool call has no name or no id", "a tool call has no name or no id"),
        ("SECRET came", "a part of the reply could not be read"),
    ],
)  # fmt: skip
def test_what_could_not_be_read_is_told_to_operators_without_the_models_words(problem: str, reason: str) -> None:
    [found] = diagnose_reply(reply(call(), problems=(problem,)), request(tools=(ADD,)))
    assert found == (problem, reason)

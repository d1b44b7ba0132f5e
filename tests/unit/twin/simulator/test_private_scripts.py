"""Scripts for a part of the requests: which requests are theirs, what is expected, and what comes again."""

from typing import Any

import pytest

from twin.simulator.neutral import Conversation, Problem, Reply, ToolCall, ToolResult, Turn
from twin.simulator.private_scripts import PrivateScripts
from twin.simulator.script import RawReply, parse_step

SEEN = {"provider": "anthropic", "path": "/v1/messages", "model": "claude-opus-5"}
GPT = {"provider": "openai", "path": "/v1/responses", "model": "gpt-5.6"}
ASKED = Turn("user", "Where is order 7?")


def says(text: str, **match: str) -> dict[str, Any]:
    return {"match": match, "reply": {"text": text}}


def calls(**arguments: str) -> dict[str, Any]:
    return {"reply": {"tool_calls": [{"name": "order_status", "arguments": arguments}]}}


def take(
    scripts: PrivateScripts, *turns: Turn, name: str = "t-1.s-1.step1.x", seen: dict[str, str] = SEEN
) -> Reply | RawReply | None:
    return scripts.take(name, seen, Conversation("claude-opus-5", turns or (ASKED,)), "toolu_")


def scripted(*steps: dict[str, Any], of: str = "t-1") -> PrivateScripts:
    scripts = PrivateScripts()
    scripts.extend({"of": [of], "steps": list(steps)})
    return scripts


def test_a_request_of_nobody_is_left_to_others() -> None:
    assert take(scripted(says("A."), of="t-2")) is None
    assert take(PrivateScripts()) is None


def test_a_request_that_is_sent_again_gets_the_same_answer_with_the_same_ids_from_any_provider() -> None:
    scripts = scripted(calls(order="7"), says("It is on its way."))
    first = take(scripts)
    assert isinstance(first, Reply)
    assert first.calls[0].id.startswith("toolu_")
    # Another attempt has another end of its name, and the other provider may get it.
    assert take(scripts, name="t-1.s-1.step1.y", seen=GPT) == first
    turns = (ASKED, Turn("assistant", calls=first.calls), Turn("user", results=(ToolResult("toolu_1", "shipped"),)))
    second = take(scripts, *turns)
    renamed = (ToolCall("order_status", {"order": "7"}, "call_9"),)
    other = (ASKED, Turn("assistant", calls=renamed), Turn("user", results=(ToolResult("call_9", "shipped"),)))
    assert take(scripts, *other) == second
    assert take(scripts) == first
    report = scripts.report(["t-1"])
    assert (report["unconsumed"], report["unexpected"]) == ([], [])


def test_the_same_words_in_another_session_take_the_next_step() -> None:
    scripts = scripted(says("One."), says("Two."))
    answers = [take(scripts, name=f"t-1.s-{session}.step1.x") for session in (1, 2)]
    assert [answer.text for answer in answers if isinstance(answer, Reply)] == ["One.", "Two."]


def test_what_is_not_expected_is_refused_and_told_once_with_what_was_asked() -> None:
    scripts = scripted(says("A.", last="order 8"))
    for end in "xy":
        with pytest.raises(Problem) as refused:
            take(scripts, name=f"t-1.s-1.step1.{end}")
        assert refused.value.status == 400
    report = scripts.report(["t-1"])
    [unexpected] = report["unexpected"]
    assert (unexpected["said"], unexpected["expected"]) == ("Where is order 7?", {"last": "order 8"})
    assert [one["reply"] for one in report["unconsumed"]] == ["A."]


def test_a_script_without_steps_refuses_all_and_one_that_was_forgotten_nothing() -> None:
    scripts = scripted()
    with pytest.raises(Problem):
        take(scripts)
    scripts.clear(["t-1"])
    assert take(scripts) is None


def test_a_step_may_wait_for_the_result_of_a_tool() -> None:
    scripts = scripted(says("Shipped.", last="shipped"))
    told = (ASKED, Turn("assistant", "I look."), Turn("user", results=(ToolResult("a", "state: shipped"),)))
    assert isinstance(take(scripts, *told), Reply)
    # What was said before the model spoke is not what it is told now.
    early = scripted(says("No.", last="order 7"))
    with pytest.raises(Problem):
        take(early, *told)


def test_the_script_that_says_the_most_of_a_request_is_its_own() -> None:
    scripts = scripted(says("For the tenant."))
    scripts.extend({"of": ["t-1", "s-2"], "steps": [says("For the session.")]})
    wide, narrow = take(scripts), take(scripts, name="t-1.s-2.step1.x")
    assert isinstance(wide, Reply)
    assert isinstance(narrow, Reply)
    assert (wide.text, narrow.text) == ("For the tenant.", "For the session.")


def test_an_error_of_the_script_comes_once_so_that_a_retry_is_answered() -> None:
    scripts = scripted({"raw": {"status": 529, "body": {}}}, says("After all."))
    assert isinstance(take(scripts), RawReply)
    answer = take(scripts)
    assert isinstance(answer, Reply)
    assert answer.text == "After all."


@pytest.mark.parametrize("raw", [None, [], {}, {"of": []}, {"of": [""]}, {"of": "t"}, {"of": ["t"], "steps": [{}]}])
def test_a_malformed_script_is_refused_as_a_whole(raw: Any) -> None:
    scripts = PrivateScripts()
    with pytest.raises(ValueError, match=r"a script|a step"):
        scripts.extend(raw)
    assert take(scripts, name="t.x") is None


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ({"txt": "Hello."}, "a reply has no 'txt': it takes stop_reason, text"),
        ({"usage": {"input_tokens": 3}}, "usage has no 'input_tokens': it takes cache_read"),
        ({"tool_calls": [{"tool": "notes"}]}, "a tool call has no 'tool': it takes arguments, id, name"),
    ],
)
def test_a_field_that_a_reply_has_not_is_refused_with_those_that_it_has(reply: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_step({"reply": reply})

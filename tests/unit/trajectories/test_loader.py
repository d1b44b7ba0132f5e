"""Trajectories are read in the shapes that public benchmarks write them in."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.twin.trajectories.apply import applied, state_of
from tests.twin.trajectories.fill import DESK
from tests.twin.trajectories.loader import CLOSING, Malformed, load, turns_of
from tests.twin.trajectories.project import tools_of

DATA = Path(__file__).parents[2] / "data" / "trajectories"
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": "ü"}'}}
MESSAGES: list[dict[str, Any]] = [
    {"role": "system", "content": "You help."},
    {"role": "user", "content": "Look!"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": "seen"},
    {"role": "assistant", "content": "I looked."},
    {"role": "user", "content": "Thanks"},
    {"role": "assistant", "content": "You are welcome."},
]


def _write(folder: Path, content: Any, name: str = "t.json") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_each_message_of_the_user_begins_a_turn() -> None:
    turns = turns_of(MESSAGES)
    assert [(turn.message, len(turn.calls), turn.replies[-1].text) for turn in turns] == [
        ("Look!", 1, "I looked."),
        ("Thanks", 0, "You are welcome."),
    ]


def test_a_call_has_its_arguments_and_its_recorded_result() -> None:
    [call] = turns_of(MESSAGES)[0].calls
    assert (call.tool, call.arguments, call.result) == ("look", {"at": "ü"}, "seen")


def test_a_call_in_flat_form_is_the_same() -> None:
    flat = {"id": "c1", "name": "look", "arguments": {"at": "ü"}, "requestor": "assistant"}
    messages = [dict(message) for message in MESSAGES]
    messages[2]["tool_calls"] = [flat]
    messages[3] = {"role": "tool", "id": "c1", "content": "seen"}
    assert turns_of(messages) == turns_of(MESSAGES)


@pytest.mark.parametrize(
    "content",
    [
        MESSAGES,
        {"messages": MESSAGES},
        [{"task_id": "t-0", "traj": MESSAGES, "reward": 1.0}],
        {"simulations": [{"messages": MESSAGES}]},
        json.dumps({"messages": MESSAGES}) + "\n" + json.dumps({"messages": MESSAGES}) + "\n",
    ],
    ids=["messages", "object", "list of traj", "simulations", "lines"],
)
def test_files_of_each_shape_are_read(content: Any, tmp_path: Path) -> None:
    assert load(_write(tmp_path, content))[0].turns == turns_of(MESSAGES)


def test_a_greeting_before_the_user_speaks_is_left_out() -> None:
    greeting = {"role": "assistant", "content": "Hi! How can I help?"}
    assert turns_of([greeting, *MESSAGES]) == turns_of(MESSAGES)


def test_a_conversation_that_ends_with_a_result_gets_an_answer() -> None:
    [turn] = turns_of(MESSAGES[:4])
    assert turn.replies[-1].text == CLOSING


def test_words_beside_calls_stay_with_them_and_two_answers_become_one() -> None:
    spoken = {"role": "assistant", "content": "I look.", "tool_calls": [CALL]}
    [turn] = turns_of(
        [MESSAGES[1], spoken, {"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}]
    )
    assert [reply.text for reply in turn.replies] == ["I look.", "a\n\nb"]


def test_a_reply_is_a_step_of_the_simulators_script() -> None:
    from twin.simulator.neutral import Reply
    from twin.simulator.script import parse_step

    [turn] = turns_of(MESSAGES[:5])
    step = parse_step(turn.replies[0].step())
    assert isinstance(step.reply, Reply)
    assert step.reply.calls[0].arguments == {"at": "ü"}


@pytest.mark.parametrize(
    "content",
    [
        "no json",
        {"nothing": 1},
        [],
        [{"role": "wizard", "content": "x"}],
        [MESSAGES[1], {"role": "assistant", "tool_calls": [{"id": "c", "name": "x", "arguments": "{"}]}],
        [MESSAGES[1], {"role": "assistant", "tool_calls": [{"id": "c", "arguments": {}}]}],
    ],
)
def test_a_file_of_another_form_is_refused(content: Any, tmp_path: Path) -> None:
    with pytest.raises(Malformed):
        load(_write(tmp_path, content))


@pytest.mark.parametrize("path", sorted(DATA.glob("*.json")), ids=lambda path: path.stem)
def test_the_recorded_results_are_those_of_the_desks_tools(path: Path) -> None:
    [trajectory] = load(path)
    outcomes, _ = applied(trajectory, tools_of(DESK))
    # A record's keys come in the order in which a tool wrote them.
    assert [_read(outcome.text) for outcome in outcomes] == [_read(call.result) for call in trajectory.calls]


def _read(result: str | None) -> Any:
    try:
        return json.loads(result or "null")
    except ValueError:
        return result


def test_a_function_that_ran_twice_for_one_effect_leaves_another_state() -> None:
    once = [("EVENT", "o-1#abc", '{"runs":1}')]
    twice = [("EVENT", "o-1#def", '{"runs":2}')]
    assert state_of(once) == state_of([("EVENT", "o-1#xyz", '{"runs":1}')])
    assert state_of(once) != state_of(twice)
